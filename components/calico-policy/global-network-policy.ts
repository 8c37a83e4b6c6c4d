import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { GlobalNetworkPolicyArgs } from "./args.ts";
import { requireObject } from "./inputs.ts";

/** A GlobalNetworkPolicy of Calico (projectcalico.org/v3), for pods of every namespace and for hosts. Needs a cluster that runs `Dataplane`. */
export class GlobalNetworkPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: GlobalNetworkPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("GlobalNetworkPolicy", name);
    const object = requireObject(place, "globalNetworkPolicies", requireArguments(place, "GlobalNetworkPolicy", args));
    super(componentType("GlobalNetworkPolicy"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-globalnetworkpolicy`, object, { parent: this });
    this.registerOutputs({});
  }
}
