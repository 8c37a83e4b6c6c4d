import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import { requireObject } from "./inputs.ts";
import type { StagedNetworkPolicyArgs } from "./staged-args.ts";

/** A StagedNetworkPolicy of Calico (projectcalico.org/v3): shows in the flow log what a NetworkPolicy of Calico would deny or allow. Needs a cluster that runs `Dataplane`. */
export class StagedNetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: StagedNetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("StagedNetworkPolicy", name);
    const object = requireObject(place, "stagedNetworkPolicies", requireArguments(place, "StagedNetworkPolicy", args));
    super(componentType("StagedNetworkPolicy"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-stagednetworkpolicy`, object, { parent: this });
    this.registerOutputs({});
  }
}
