import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { requireObject } from "../calico-policy/inputs.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { BgpFilterArgs } from "./args.ts";

/** A BGPFilter of Calico (projectcalico.org/v3): which routes are taken and given. Needs a cluster that runs `Dataplane`. */
export class BgpFilter extends pulumi.ComponentResource {
  constructor(name: string, args: BgpFilterArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("BgpFilter", name);
    const object = requireObject(place, "bgpFilters", requireArguments(place, "BgpFilter", args));
    super(componentType("BgpFilter"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-bgpfilter`, object, { parent: this });
    this.registerOutputs({});
  }
}
