import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { requireObject } from "../calico-policy/inputs.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { IpReservationArgs } from "./args.ts";

/** Addresses of IP pools that no pod gets by itself: an IPReservation object (projectcalico.org/v3) of a cluster that runs `Dataplane`. */
export class IpReservation extends pulumi.ComponentResource {
  constructor(name: string, args: IpReservationArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("IpReservation", name);
    const object = requireObject(place, "ipReservations", requireArguments(place, "IpReservation", args));
    super(componentType("IpReservation"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-ipreservation`, object, { parent: this });
    this.registerOutputs({});
  }
}
