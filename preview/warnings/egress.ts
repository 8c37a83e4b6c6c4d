import { podLabels, podsOf } from "../../model/egress/selector.ts";
import { firstFew } from "../../model/first-few.ts";
import { type EgressGateway, egressGateway } from "../../model/objects/egress-gateway.ts";
import { kinds } from "../../model/objects/kinds.ts";
import { namespaceLabels } from "../../model/policy/who.ts";
import type { Cluster } from "../declared/cluster.ts";
import { isOf, shortName, type Workload } from "../declared/objects.ts";
import { castOf } from "../reach/cast.ts";
import { sceneOf } from "../scene.ts";
import type { Warning } from "./warning.ts";

/** Egress gateways without pods, two for one pod, and addresses that no node has. */
export function egressWarnings(cluster: Cluster): Warning[] {
  const gateways = cluster.objects
    .filter((object) => isOf(kinds.egressGateways, object))
    .flatMap((object) => egressGateway.safeParse(object).data ?? [])
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  if (gateways.length === 0) return [];
  const { workloads, namespaces, nodes } = castOf(sceneOf(cluster));
  const taken = new Map<Workload, EgressGateway>();
  const own = new Set(nodes.flatMap(({ address, addressIpv6 }) => [address, addressIpv6]));
  return gateways.flatMap((gateway) => {
    const about = `EgressGateway ${gateway.metadata.name}`;
    const isMeant = podsOf(gateway);
    const pods = workloads.filter(
      ({ namespace, labels, hostNetwork }) =>
        !hostNetwork &&
        isMeant(
          podLabels({
            kind: "pod",
            labels,
            namespace,
            namespaceLabels: namespaceLabels(namespace, namespaces.get(namespace)),
          }),
        ),
    );
    const shared = pods.filter((pod) => taken.has(pod));
    for (const pod of pods) if (!taken.has(pod)) taken.set(pod, gateway);
    const stranger = gateway.spec.addresses.find((address) => own.size > 0 && !own.has(address));
    return [
      ...(pods.length === 0
        ? [
            {
              about,
              what: "it selects none of the pods declared here",
              next: "compare podSelector and namespaceSelector with the pods' labels, unless it is for pods declared elsewhere",
            },
          ]
        : []),
      ...(shared[0]
        ? [
            {
              about,
              what: `pods of ${firstFew(shared.map(shortName))} leave the cluster by EgressGateway ${taken.get(shared[0])?.metadata.name}, which selects them too and is the first by name`,
              next: "let the selectors exclude each other",
            },
          ]
        : []),
      ...(stranger
        ? [
            {
              about,
              what: `${stranger} is the address of none of the nodes declared here: without a node that has it nothing leaves`,
              next: "give the gateway's node that address as a further one, or name another",
            },
          ]
        : []),
    ];
  });
}
