import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { requireObject } from "../calico-policy/inputs.ts";
import { AGENT } from "../dataplane/names.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import type { BgpConfigurationArgs } from "./args.ts";
import { passwordAccess } from "./password-access.ts";

/** The BGPConfiguration of Calico (projectcalico.org/v3) named "default": how nodes speak BGP. One per cluster. Needs a cluster that runs `Dataplane`. */
export class BgpConfiguration extends pulumi.ComponentResource {
  constructor(name: string, args: BgpConfigurationArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("BgpConfiguration", name);
    const { agentNamespace = AGENT, ...spec } = requireArguments(place, "BgpConfiguration", args);
    const object = requireObject(place, "bgpConfigurations", spec);
    super(componentType("BgpConfiguration"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-bgpconfiguration`, object, { parent: this });
    passwordAccess(name, "bgpconfiguration", args.nodeMeshPassword, agentNamespace, { parent: this });
    this.registerOutputs({});
  }
}
