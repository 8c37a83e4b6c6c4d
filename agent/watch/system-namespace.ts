/** A policy that says nothing readable of whom it selects closes the pods of every namespace but this one: the cluster's own name service
 * and controllers keep running, so that the policy can be mended (docs/decisions/0028-unreadable-policies.md). */
export const SYSTEM_NAMESPACE = "kube-system";
