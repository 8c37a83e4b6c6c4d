import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { TierArgs } from "./args.ts";
import { requireObject } from "./inputs.ts";

/** A Tier of Calico (projectcalico.org/v3): policies that are asked together, before or after those of other tiers. Needs a cluster that runs `Dataplane`. */
export class Tier extends pulumi.ComponentResource {
  constructor(name: string, args: TierArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("Tier", name);
    const object = requireObject(place, "tiers", requireArguments(place, "Tier", args));
    super(componentType("Tier"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-tier`, object, { parent: this });
    this.registerOutputs({});
  }
}
