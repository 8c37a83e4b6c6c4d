import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { HostEndpointArgs } from "./args.ts";
import { requireObject } from "./inputs.ts";

/** A HostEndpoint of Calico (projectcalico.org/v3): interfaces of a node that policies protect. Needs a cluster that runs `Dataplane`. */
export class HostEndpoint extends pulumi.ComponentResource {
  constructor(name: string, args: HostEndpointArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("HostEndpoint", name);
    const object = requireObject(place, "hostEndpoints", requireArguments(place, "HostEndpoint", args));
    super(componentType("HostEndpoint"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-hostendpoint`, object, { parent: this });
    this.registerOutputs({});
  }
}
