import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { requireObject } from "../calico-policy/inputs.ts";
import { AGENT } from "../dataplane/names.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { BgpPeerArgs } from "./args.ts";
import { passwordAccess } from "./password-access.ts";

/** A BGPPeer of Calico (projectcalico.org/v3): with whom which nodes speak BGP. Needs a cluster that runs `Dataplane`. */
export class BgpPeer extends pulumi.ComponentResource {
  constructor(name: string, args: BgpPeerArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("BgpPeer", name);
    const { agentNamespace = AGENT, ...spec } = requireArguments(place, "BgpPeer", args);
    const object = requireObject(place, "bgpPeers", spec);
    super(componentType("BgpPeer"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-bgppeer`, object, { parent: this });
    passwordAccess(name, `bgppeer-${args.name}`, args.password, agentNamespace, { parent: this });
    this.registerOutputs({});
  }
}
