import type * as pulumi from "@pulumi/pulumi";
import type { DataplaneSpec } from "../dataplane/args.ts";

/** What becomes of a kube-proxy that the cluster has. */
export enum ExistingKubeProxy {
  /** The deployment fails before it changes anything. */
  Refuse = "refuse",
  /** It may stay for now: a `KubeProxyRemoval` takes it off the nodes, and puts it back when the stack is destroyed. */
  Remove = "remove",
}

/** What becomes of another network plugin that the cluster has. */
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
  /** What is going to be declared on it: the very arguments of its `Dataplane`. */
  dataplane: DataplaneSpec;
  /** What becomes of a kube-proxy that is there. Defaults to `Refuse`. */
  existingKubeProxy?: ExistingKubeProxy;
  /** What becomes of another network plugin that is there. Defaults to `Refuse`. */
  otherNetworkPlugin?: OtherNetworkPlugin;
  /**
   * Identity of the only cluster that is meant: the output `clusterId` of an earlier deployment, or what `kubectl get namespace
   * kube-system -o jsonpath={.metadata.uid}` prints. Defaults to the cluster of the stack's last deployment, where Pulumi knows it.
   */
  clusterId?: pulumi.Input<string>;
  /** Whether a short pod of the agent's image looks at each node, and is removed again. Defaults to true. */
  probeNodes?: boolean;
}
