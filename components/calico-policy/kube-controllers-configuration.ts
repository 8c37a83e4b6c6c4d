import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import { requireObject } from "./inputs.ts";
import type { KubeControllersConfigurationArgs } from "./kube-controllers-args.ts";

/** The KubeControllersConfiguration of Calico (projectcalico.org/v3) named "default": host endpoints for every node. One per cluster. Needs a cluster that runs `Dataplane`. */
export class KubeControllersConfiguration extends pulumi.ComponentResource {
  constructor(name: string, args: KubeControllersConfigurationArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("KubeControllersConfiguration", name);
    const object = requireObject(
      place,
      "kubeControllersConfigurations",
      requireArguments(place, "KubeControllersConfiguration", args),
    );
    super(componentType("KubeControllersConfiguration"), name, args, opts);
    new k8s.apiextensions.CustomResource(`${name}-kubecontrollersconfiguration`, object, { parent: this });
    this.registerOutputs({});
  }
}
