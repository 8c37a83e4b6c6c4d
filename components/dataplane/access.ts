import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { kindNames, kinds } from "../../model/objects/kinds.ts";
import { AGENT, AGENT_LABELS } from "./names.ts";

const WATCH = ["list", "watch"];

/** Exactly what the agent reads and writes (test/rights.test.ts records it); it changes no object of the user's. All of it is about the whole
 * cluster: policies speak of pods everywhere, and an Event is written beside the object that it is about. */
const RULES = [
  ...watched().map(([group, resources]) => ({
    apiGroups: [group],
    resources,
    verbs: group === kinds.ipamBlocks.group ? [...WATCH, "create"] : WATCH,
  })),
  { apiGroups: [""], resources: ["events"], verbs: ["create"] },
];

/** Groups with the resources in them that agents watch. */
function watched(): [group: string, resources: string[]][] {
  const all = kindNames.map((name) => kinds[name]);
  const groups = [...new Set<string>(all.map(({ group }) => group))];
  return groups.map((group) => [group, all.filter((kind) => kind.group === group).map(({ plural }) => plural)]);
}

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
