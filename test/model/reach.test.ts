import fc from "fast-check";
import { expect, test } from "vitest";
import type { Workload } from "../../preview/declared/objects.ts";
import { type Cast, castOf } from "../../preview/reach/cast.ts";
import { type Peer, reachabilityOf } from "../../preview/reach/reachability.ts";
import { mayReceive, maySend, type Party } from "./network-policy.ts";
import { containerPorts, parties, podAddress, type RandomCluster, randomCluster } from "./random-cluster.ts";

const ports = [1, 53, 80, 443, 1000, 8080];

/** The cluster as a preview has it: objects without pod addresses. */
function castOfCluster({ pods, policies, namespaceLabels }: RandomCluster): Cast {
  const namespaces = Object.entries(namespaceLabels).map(([name, labels]) => ({
    kind: "Namespace",
    metadata: { name, labels },
  }));
  const objects = [
    ...namespaces,
    ...pods.map((pod) => ({
      kind: "Pod",
      metadata: { name: pod.name, namespace: pod.namespace, labels: pod.labels },
      spec: { containers: [{ ports: containerPorts(pod) }] },
    })),
    ...policies.map((policy) => ({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", ...policy })),
  ];
  return castOf({ objects, clients: [], nodes: [], pools: ["10.244.0.0/16"], keepsSource: true, nameService: false });
}

test("a preview's certain answers agree with the API documentation, whatever addresses pods get", () => {
  fc.assert(
    fc.property(randomCluster, (cluster) => {
      const cast = castOfCluster(cluster);
      const ask = reachabilityOf(cast);
      const workloadOf = new Map(cluster.pods.map((_, index) => [podAddress(index), cast.workloads[index]]));
      const wrong: string[] = [];
      for (const from of parties(cluster)) {
        for (const to of parties(cluster)) {
          const target = workloadOf.get(to.address);
          if (!target || from.address === to.address) continue;
          for (const protocol of ["TCP", "UDP"] as const) {
            for (const port of ports) {
              const { verdict } = ask(peerOf(from, workloadOf), { workload: target, protocol, port });
              const traffic = { from, to, protocol, port };
              const sends = workloadOf.has(from.address) ? maySend(cluster.policies, traffic) : true;
              const model = sends && mayReceive(cluster.policies, traffic) ? "allowed" : "dropped";
              // Only a block inside the pool can leave a pod's address undecided.
              if (verdict === model || (verdict === "depends" && namesPartOfPool(cluster))) continue;
              wrong.push(`${from.address} -> ${to.address} ${protocol} ${port}: model ${model}, preview ${verdict}`);
            }
          }
        }
      }
      expect(wrong).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

function namesPartOfPool({ policies }: RandomCluster): boolean {
  return /"10\.244\.0\.\d+\/(2[0-9]|3[0-2])"/.test(JSON.stringify(policies));
}

function peerOf({ address }: Party, workloads: ReadonlyMap<string, Workload | undefined>): Peer {
  const workload = workloads.get(address);
  return workload ? { kind: "workload", workload } : { kind: "address", address };
}
