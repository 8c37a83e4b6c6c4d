import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { AGENT, AGENT_LABELS } from "./names.ts";

const WATCH = ["list", "watch"];

/** Kinds of Calico's API that agents watch; the policy kinds only where the cluster defines them. */
const CALICO_KINDS = ["ippools", "felixconfigurations", "networkpolicies", "globalnetworkpolicies", "hostendpoints"];

/** Exactly what the agent reads and writes (test/rights.test.ts records it); it changes no object of the user's. All of it is about the whole
 * cluster: policies speak of pods everywhere, and an Event is written beside the object that it is about. */
const RULES = [
  { apiGroups: [""], resources: ["nodes", "namespaces", "pods", "services"], verbs: WATCH },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: WATCH },
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: WATCH },
  { apiGroups: ["projectcalico.org"], resources: CALICO_KINDS, verbs: WATCH },
  { apiGroups: ["ebpf-dataplane.io"], resources: ["ipamblocks"], verbs: [...WATCH, "create"] },
  { apiGroups: [""], resources: ["events"], verbs: ["create"] },
];

/** The agent's ServiceAccount and what it may do. */
export function agentAccess(name: string, namespace: pulumi.Input<string>, opts: pulumi.ResourceOptions) {
  const account = new k8s.core.v1.ServiceAccount(
    `${name}-serviceaccount`,
    { metadata: { name: AGENT, namespace, labels: AGENT_LABELS } },
    opts,
  );
  const role = new k8s.rbac.v1.ClusterRole(
    `${name}-clusterrole`,
    { metadata: { name: AGENT, labels: AGENT_LABELS }, rules: RULES },
    opts,
  );
  const binding = new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-clusterrolebinding`,
    {
      metadata: { name: AGENT, labels: AGENT_LABELS },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
    },
    opts,
  );
  return { account, binding };
}
