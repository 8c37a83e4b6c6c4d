import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { requireObject } from "../calico-policy/inputs.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { EgressGatewayArgs } from "./args.ts";

/** By which node some pods leave the cluster: an EgressGateway object (ebpf-dataplane.io/v1alpha1) of a cluster that runs `Dataplane`. */
export class EgressGateway extends pulumi.ComponentResource {
  constructor(name: string, args: EgressGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("EgressGateway", name);
    const object = requireObject(place, "egressGateways", requireArguments(place, "EgressGateway", args));
    super(componentType("EgressGateway"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-egressgateway`, object, { parent: this });
    this.registerOutputs({});
  }
}
