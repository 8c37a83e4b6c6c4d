import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { GlobalNetworkSetArgs } from "./args.ts";
import { requireObject } from "./inputs.ts";

/** A GlobalNetworkSet of Calico (projectcalico.org/v3): networks with labels, for rules everywhere. Needs a cluster that runs `Dataplane`. */
export class GlobalNetworkSet extends pulumi.ComponentResource {
  constructor(name: string, args: GlobalNetworkSetArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("GlobalNetworkSet", name);
    const object = requireObject(place, "globalNetworkSets", requireArguments(place, "GlobalNetworkSet", args));
    super(componentType("GlobalNetworkSet"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-globalnetworkset`, object, { parent: this });
    this.registerOutputs({});
  }
}
