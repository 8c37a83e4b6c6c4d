import type * as pulumi from "@pulumi/pulumi";
import type { AwsSdk } from "../aws/sdk-types.ts";

/** The values that the machines of a cluster pass to each other and to this computer: encrypted parameters of the Systems Manager.
 * Pulumi creates and deletes them; the control plane writes them repeatedly (bootstrap/node.sh). */
export interface Exchange {
  /** Path of the parameters; a node finds it in its settings. */
  path: string;
  /** What the control plane writes for workers: a token that is valid for one hour, the hash of the certificate authority, and the
   * release that it runs. */
  join: Parameter;
  /** The administrator's kubeconfig. */
  kubeconfig: Parameter;
}
interface Parameter {
  name: string;
  arn: pulumi.Output<string>;
}

export function exchange(
  sdk: AwsSdk,
  name: string,
  clusterName: string,
  tags: Record<string, pulumi.Input<string>>,
  opts: pulumi.CustomResourceOptions,
): Exchange {
  const path = `/ebpf-dataplane/${clusterName}`;
  const parameter = (last: string, description: string): Parameter => {
    const full = `${path}/${last}`;
    const { arn } = new sdk.ssm.Parameter(
      `${name}-${last}`,
      { name: full, type: "SecureString", value: "not yet written", description, tags },
      { ...opts, ignoreChanges: ["value"] },
    );
    return { name: full, arn };
  };
  const join = parameter("join", "with what a worker joins the cluster; renewed by the control plane");
  const kubeconfig = parameter("kubeconfig", "the administrator's kubeconfig; written by the control plane");
  return { path, join, kubeconfig };
}
