// A node of a big cluster with many policies, all of which its pods are subject to: what one change of policy costs there.

import { namespace, node, pod } from "../../model/objects/core.ts";
import type { NetworkPolicy } from "../../model/objects/networking.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import { type ClusterSnapshot, type LocalEndpoint, type NodeFacts, noObjects } from "./snapshot.ts";

/** Pods of one node, as many as kubelet runs by default, and a few less. */
export const HERE = 100;
/** Pods that each policy selects. */
export const SELECTED = 10;

export const range = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
export const addressAt = (first: number, index: number) =>
  `10.${first + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;

export const facts: NodeFacts = {
  nodeName: "node-0",
  address: "172.31.1.8",
  subnets: ["172.31.1.0/24"],
  localAddresses: [],
  serviceSubnet: "10.96.0.0/12",
  uplinkIfindex: 2,
  tunnelIfindex: 3,
};

/** The policies that pod `index` is subject to, of `count`. */
function rolesOf(index: number, count: number): number[] {
  if (index >= HERE) return [(index - HERE) % count];
  const each = count / HERE;
  return range(Math.ceil(each), (at) => Math.floor(index * each) + at);
}

const role = (policy: number) => [`role-${policy % 10}`, `r${Math.floor(policy / 10)}`] as const;

function podAt(index: number, policies: number) {
  const here = index < HERE;
  return pod.parse({
    metadata: {
      name: `p${index}`,
      namespace: "default",
      labels: {
        app: `app-${index % 500}`,
        ...(index < SELECTED && { changing: "yes" }),
        ...Object.fromEntries(rolesOf(index, policies).map(role)),
      },
    },
    spec: { nodeName: here ? "node-0" : `node-${1 + (index % 99)}`, containers: [{}] },
    status: { phase: "Running", podIPs: [{ ip: addressAt(128, index) }] },
  });
}

/** Allows one group of pods to connect to those with the label. */
function policyOf(name: string, label: readonly [string, string], peers: object): NetworkPolicy {
  return networkPolicy.parse({
    metadata: { name, namespace: "default" },
    spec: {
      podSelector: { matchLabels: Object.fromEntries([label]) },
      ingress: [{ from: [{ podSelector: peers }], ports: [{ port: 80 }] }],
    },
  });
}

/** Policy `index` of those that stay: its peers are the pods of another. */
const policyAt = (index: number, count: number) =>
  policyOf(`n${index}`, role(index), { matchLabels: Object.fromEntries([role((index + 7) % count)]) });

/** The one that changes: it selects `SELECTED` pods of this node, and allows the pods of two apps. */
export const changingPolicy = (version: number) =>
  policyOf("changing", ["changing", "yes"], {
    matchExpressions: [{ key: "app", operator: "In", values: [`app-${version % 500}`, `app-${(version + 1) % 500}`] }],
  });

export function endpointAt(index: number): LocalEndpoint {
  return {
    namespace: "default",
    pod: `p${index}`,
    address: addressAt(128, index),
    ifindex: 100 + index,
    mac: "02:00:00:00:00:01",
    hostMac: "02:00:00:00:00:02",
  };
}

/** The last of the policies is the one that changes. */
export function policyCluster(pods: number, policies: number): ClusterSnapshot {
  return {
    ...noObjects,
    facts,
    endpoints: range(Math.min(HERE, pods), endpointAt),
    nodes: range(100, (index) =>
      node.parse({
        metadata: { name: `node-${index}` },
        status: { addresses: [{ type: "InternalIP", address: `172.31.1.${index + 8}` }] },
      }),
    ),
    namespaces: [namespace.parse({ metadata: { name: "default" } })],
    pods: range(pods, (index) => podAt(index, policies)),
    networkPolicies: [...range(policies - 1, (index) => policyAt(index, policies)), changingPolicy(0)],
  };
}
