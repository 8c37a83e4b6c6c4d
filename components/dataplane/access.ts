import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { kindNames, kinds } from "../../model/objects/kinds.ts";
import { AGENT, AGENT_LABELS, BALANCER, ENCRYPTION } from "./names.ts";

const WATCH = ["list", "watch"];

/** Exactly what the agent reads and writes (test/rights.test.ts records it); it changes no object of the user's unless it is their load balancer. All of it is about the whole
 * cluster: policies speak of pods everywhere, and an Event is written beside the object that it is about. */
const RULES = [
  ...watched().map(([group, resources]) => ({ apiGroups: [group], resources, verbs: WATCH })),
  { apiGroups: [kinds.ipamBlocks.group], resources: [kinds.ipamBlocks.plural], verbs: ["create", "update", "delete"] },
  { apiGroups: [""], resources: ["events"], verbs: ["create"] },
];

/** API groups with the resources that agents watch. */
function watched(): [group: string, resources: string[]][] {
  const all = kindNames.map((name) => kinds[name]);
  const groups = [...new Set<string>(all.map(({ group }) => group))];
  return groups.map((group) => [group, all.filter((kind) => kind.group === group).map(({ plural }) => plural)]);
}

/** The agent's ServiceAccount with its permissions. While they are bound, no pool in use can be deleted (poolAdmission in admission.ts). */
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

/** Additional permissions of agents that act as the load balancer (admission.ts narrows them): to write the statuses of Services, and,
 * in their own namespace, the Leases by which they agree. */
export function balancerAccess(
  name: string,
  namespace: pulumi.Input<string>,
  account: k8s.core.v1.ServiceAccount,
  opts: pulumi.ResourceOptions,
): pulumi.Resource[] {
  const subjects = [{ kind: "ServiceAccount", name: account.metadata.name, namespace }];
  const apiGroup = "rbac.authorization.k8s.io";
  const metadata = { name: BALANCER, labels: AGENT_LABELS };
  const clusterRole = new k8s.rbac.v1.ClusterRole(
    `${name}-balancer-clusterrole`,
    { metadata, rules: [{ apiGroups: [""], resources: ["services/status"], verbs: ["patch"] }] },
    opts,
  );
  const role = new k8s.rbac.v1.Role(
    `${name}-balancer-role`,
    {
      metadata: { ...metadata, namespace },
      rules: [
        {
          apiGroups: ["coordination.k8s.io"],
          resources: ["leases"],
          verbs: ["list", "watch", "get", "create", "update", "delete"],
        },
      ],
    },
    opts,
  );
  return [
    new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-balancer-clusterrolebinding`,
      { metadata, roleRef: { apiGroup, kind: "ClusterRole", name: clusterRole.metadata.name }, subjects },
      opts,
    ),
    new k8s.rbac.v1.RoleBinding(
      `${name}-balancer-rolebinding`,
      { metadata: { ...metadata, namespace }, roleRef: { apiGroup, kind: "Role", name: role.metadata.name }, subjects },
      opts,
    ),
  ];
}

/** Additional permission of agents that encrypt (admission.ts narrows it): to write their public keys into their Node objects. */
export function keyAccess(
  name: string,
  namespace: pulumi.Input<string>,
  account: k8s.core.v1.ServiceAccount,
  opts: pulumi.ResourceOptions,
): pulumi.Resource {
  const metadata = { name: ENCRYPTION, labels: AGENT_LABELS };
  const role = new k8s.rbac.v1.ClusterRole(
    `${name}-encryption-clusterrole`,
    { metadata, rules: [{ apiGroups: [kinds.nodes.group], resources: [kinds.nodes.plural], verbs: ["patch"] }] },
    opts,
  );
  return new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-encryption-clusterrolebinding`,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
    },
    opts,
  );
}
