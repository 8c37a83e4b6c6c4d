import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { NetworkSetArgs } from "./args.ts";
import { requireObject } from "./inputs.ts";

/** A NetworkSet of Calico (projectcalico.org/v3): networks with labels, for rules of one namespace. Needs a cluster that runs `Dataplane`. */
export class NetworkSet extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkSetArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("NetworkSet", name);
    const object = requireObject(place, "networkSets", requireArguments(place, "NetworkSet", args));
    super(componentType("NetworkSet"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-networkset`, object, { parent: this });
    this.registerOutputs({});
  }
}
