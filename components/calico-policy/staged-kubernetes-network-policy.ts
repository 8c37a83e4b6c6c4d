import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import { requireObject } from "./inputs.ts";
import type { StagedKubernetesNetworkPolicyArgs } from "./staged-args.ts";

/** A StagedKubernetesNetworkPolicy of Calico (projectcalico.org/v3): shows in the flow log what a NetworkPolicy of Kubernetes would deny or allow. Needs a cluster that runs `Dataplane`. */
export class StagedKubernetesNetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: StagedKubernetesNetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("StagedKubernetesNetworkPolicy", name);
    const object = requireObject(
      place,
      "stagedKubernetesNetworkPolicies",
      requireArguments(place, "StagedKubernetesNetworkPolicy", args),
    );
    super(componentType("StagedKubernetesNetworkPolicy"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-stagedkubernetesnetworkpolicy`, object, { parent: this });
    this.registerOutputs({});
  }
}
