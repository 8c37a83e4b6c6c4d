import type * as pulumi from "@pulumi/pulumi";

/** Arguments of `KubeProxyRemoval`. */
export interface KubeProxyRemovalArgs {
  /** Administrator's kubeconfig (YAML) of the cluster. */
  kubeconfig: pulumi.Input<string>;
  /** Identity of the only cluster that is meant: `clusterId` of its `ExistingCluster`. Defaults to the one of the last deployment. */
  clusterId?: pulumi.Input<string>;
}
