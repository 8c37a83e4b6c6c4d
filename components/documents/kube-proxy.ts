import { z } from "zod";
import { clusterIdRule } from "../rules/names.ts";
import { ruled } from "./ruled.ts";

/** What `cluster remove-kube-proxy` and `cluster restore-kube-proxy` read. */
export const kubeProxySchema = z.strictObject({
  /** The only cluster that is meant. */
  clusterId: ruled(clusterIdRule).optional(),
});

/** What `cluster remove-kube-proxy` prints. */
export interface KubeProxyResult {
  clusterId: string;
  /** The DaemonSets that no longer run on any node, as "namespace/name". */
  removed: string[];
}
