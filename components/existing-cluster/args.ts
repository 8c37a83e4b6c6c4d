import type * as pulumi from "@pulumi/pulumi";
import type { DataplaneSpec } from "../dataplane/args.ts";

/** What happens to a kube-proxy that the cluster has. */
export enum ExistingKubeProxy {
  /** The deployment fails before it changes anything. */
  Refuse = "refuse",
  /** It may stay for now: a `KubeProxyRemoval` stops it on the nodes, and restores it when the stack is destroyed. */
  Remove = "remove",
}

/** What happens to another network plugin that the cluster has. */
export enum OtherNetworkPlugin {
  /** The deployment fails before it changes anything. */
  Refuse = "refuse",
  /** A warning only: you move pods from one plugin to the other yourself. */
  Accept = "accept",
}

/** Arguments of `ExistingCluster`. */
export interface ExistingClusterArgs {
  /** Administrator's kubeconfig (YAML) of the cluster. */
  kubeconfig: pulumi.Input<string>;
  /** What will be declared on the cluster: the same arguments as those of its `Dataplane`. */
  dataplane: DataplaneSpec;
  /** What happens to an existing kube-proxy. Defaults to `Refuse`. */
  existingKubeProxy?: ExistingKubeProxy;
  /** What happens to another existing network plugin. Defaults to `Refuse`. */
  otherNetworkPlugin?: OtherNetworkPlugin;
  /**
   * Identity of the only cluster that is meant: the output `clusterId` of an earlier deployment, or what `kubectl get namespace
   * kube-system -o jsonpath={.metadata.uid}` prints. Defaults to the cluster of the stack's last deployment, where Pulumi knows it.
   */
  clusterId?: pulumi.Input<string>;
  /** Whether a short-lived pod of the agent's image checks each node, and is removed again. Defaults to true. */
  probeNodes?: boolean;
}
