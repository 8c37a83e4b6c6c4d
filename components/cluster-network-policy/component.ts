import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { requireObject } from "../calico-policy/inputs.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { ClusterNetworkPolicyArgs } from "./args.ts";

/** A ClusterNetworkPolicy of Kubernetes (policy.networking.k8s.io/v1alpha2), which holds in every namespace. Needs a cluster that runs `Dataplane`. */
export class ClusterNetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: ClusterNetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("ClusterNetworkPolicy", name);
    const object = requireObject(
      place,
      "clusterNetworkPolicies",
      requireArguments(place, "ClusterNetworkPolicy", args),
    );
    super(componentType("ClusterNetworkPolicy"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-clusternetworkpolicy`, object, { parent: this });
    this.registerOutputs({});
  }
}
