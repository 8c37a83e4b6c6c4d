import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import { requireObject } from "./inputs.ts";
import type { StagedGlobalNetworkPolicyArgs } from "./staged-args.ts";

/** A StagedGlobalNetworkPolicy of Calico (projectcalico.org/v3): shows in the flow log what a GlobalNetworkPolicy would deny or allow. Needs a cluster that runs `Dataplane`. */
export class StagedGlobalNetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: StagedGlobalNetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("StagedGlobalNetworkPolicy", name);
    const object = requireObject(
      place,
      "stagedGlobalNetworkPolicies",
      requireArguments(place, "StagedGlobalNetworkPolicy", args),
    );
    super(componentType("StagedGlobalNetworkPolicy"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-stagedglobalnetworkpolicy`, object, { parent: this });
    this.registerOutputs({});
  }
}
