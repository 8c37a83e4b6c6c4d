import { type ClusterSnapshot, noObjects } from "../../agent/compile/snapshot.ts";
import { ipPool } from "../../model/objects/calico.ts";
import { namespace, node, pod } from "../../model/objects/core.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import { containerPorts, podAddress, type RandomCluster } from "./random-cluster.ts";

/** The cluster as the agent on `master` sees it. */
export function snapshotOf(cluster: RandomCluster): ClusterSnapshot {
  return {
    ...noObjects,
    facts: {
      nodeName: "master",
      address: "172.31.1.8",
      subnets: ["172.31.1.0/24"],
      localAddresses: [],
      serviceSubnet: "10.96.0.0/12",
      uplinkIfindex: 2,
      tunnelIfindex: 3,
    },
    endpoints: cluster.pods.flatMap((item, index) =>
      item.local
        ? [
            {
              namespace: item.namespace,
              pod: item.name,
              address: podAddress(index),
              ifindex: 100 + index,
              mac: "02:00:00:00:00:01",
              hostMac: "02:00:00:00:00:02",
            },
          ]
        : [],
    ),
    nodes: [nodeObject("master", "172.31.1.8"), nodeObject("node", "172.31.1.207")],
    namespaces: Object.entries(cluster.namespaceLabels).map(([name, labels]) =>
      namespace.parse({ metadata: { name, labels } }),
    ),
    pods: cluster.pods.map((item, index) =>
      pod.parse({
        metadata: { name: item.name, namespace: item.namespace, labels: item.labels },
        spec: { nodeName: item.local ? "master" : "node", containers: [{ ports: containerPorts(item) }] },
        status: { phase: "Running", podIPs: [{ ip: podAddress(index) }] },
      }),
    ),
    networkPolicies: cluster.policies.map((policy) => networkPolicy.parse(policy)),
    ipPools: [
      ipPool.parse({ metadata: { name: "default" }, spec: { cidr: "10.244.0.0/16", vxlanMode: "CrossSubnet" } }),
    ],
  };
}

function nodeObject(name: string, address: string) {
  return node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } });
}
