import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { CalicoNetworkPolicyArgs } from "./args.ts";
import { requireObject } from "./inputs.ts";

/** A NetworkPolicy of Calico (projectcalico.org/v3): ordered rules with Deny, Pass and Log for pods of one namespace. Needs a cluster that runs `Dataplane`. */
export class CalicoNetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: CalicoNetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("CalicoNetworkPolicy", name);
    const object = requireObject(place, "calicoNetworkPolicies", requireArguments(place, "CalicoNetworkPolicy", args));
    super(componentType("CalicoNetworkPolicy"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-caliconetworkpolicy`, object, { parent: this });
    this.registerOutputs({});
  }
}
