import type * as pulumi from "@pulumi/pulumi";

/** Whether something is done. */
export enum Enablement {
  /** It is. */
  Enabled = "Enabled",
  /** It is not. */
  Disabled = "Disabled",
}

/** Host endpoints for some addresses or interfaces of nodes. Needs `interfaceCIDRs` or `interfacePattern`. */
export interface HostEndpointTemplate {
  /** End of the host endpoints' names. Defaults to none. */
  generateName?: pulumi.Input<string>;
  /** Addresses of a node in these networks belong to its host endpoint. */
  interfaceCIDRs?: pulumi.Input<string>[];
  /** A regular expression: one host endpoint for each interface of a node whose name matches. */
  interfacePattern?: pulumi.Input<string>;
  /** Labels beside the node's, in place of those of the same name. */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Accepted for Calico's users; have no effect. */
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Selector of the nodes by their labels. Defaults to "all()". */
  nodeSelector?: pulumi.Input<string>;
}

/** Host endpoints that exist without being written: they have the labels of their nodes, and allow what no policy is about. */
export interface AutoHostEndpoints {
  /** Whether nodes have them. Defaults to `Disabled`. */
  autoCreate?: Enablement;
  /** Whether each node has one for all of its interfaces. Defaults to `Enabled`. */
  createDefaultHostEndpoint?: Enablement;
  /** Others, besides. Defaults to none. */
  templates?: HostEndpointTemplate[];
}

/** Calico's node controller. */
export interface NodeController {
  /** Automatic host endpoints. */
  hostEndpoint?: AutoHostEndpoints;
}

/** Calico's controllers, of which those of nodes have a counterpart in this dataplane. */
export interface KubeControllers {
  /** Of nodes. */
  node?: NodeController;
}

/** The KubeControllersConfiguration of Calico named "default": automatic host endpoints. */
export interface KubeControllersConfigurationSpec {
  /** The controllers. */
  controllers?: KubeControllers;
}

/** Arguments of `KubeControllersConfiguration`. */
export interface KubeControllersConfigurationArgs extends KubeControllersConfigurationSpec {}
