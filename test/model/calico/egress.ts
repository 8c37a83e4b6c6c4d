// How a pod's packet leaves the cluster, by the documentation of EgressGateway (docs/decisions/0038-egress-gateways.md, docs/fields.md): no identities, no
// longest-prefix maps.
import { contains } from "./addresses.ts";
import { podEntity } from "./entities.ts";
import { NODES, twinOf } from "./families.ts";
import { remembered, isMisunderstood as wrong } from "./misunderstood.ts";
import type { EgressGateway, Packet, World } from "./objects.ts";
import { selects } from "./selector.ts";

/** "plain": as its pool says; "here", "elsewhere": by this node or another one as the gateway; "nowhere": it is dropped. */
export type Egress = "plain" | "here" | "elsewhere" | "nowhere";

const INSIDE = ["10.244.0.0/16", ...Object.values(NODES)];

export function egressOf(world: World, { source, destination }: Packet): Egress {
  const gateway = gatewayOf(world, source);
  const isInside = INSIDE.some((block) => [block, twinOf(block)].some((one) => contains(one, destination)));
  if (!gateway || (isInside && !wrong("a gateway is asked inside the cluster"))) return "plain";
  const { destinations = [], exceptions = [] } = gateway.spec;
  const [asked, left] = [longest(destinations, destination), longest(exceptions, destination)];
  const isAsked = asked >= 0 || destinations.length === 0;
  // The more specific one counts, and of two alike the exception.
  if (!isAsked || (left >= 0 && left >= asked)) return "plain";
  const [node] = world.nodes
    .filter(({ metadata }) => selects(gateway.spec.nodeSelector, metadata.labels ?? {}))
    .map(({ metadata }) => metadata.name)
    .sort();
  if (node === undefined) return wrong("without a gateway pods leave plainly") ? "plain" : "nowhere";
  return node === "master" ? "here" : "elsewhere";
}

/** The first by name that selects the pod. */
function gatewayOf(world: World, address: string): EgressGateway | undefined {
  return remembered(world, `gateway of ${address}`, () => {
    const pod = world.pods.find(({ status }) => status.podIPs.some(({ ip }) => ip === address));
    if (!pod) return undefined;
    const { labels } = podEntity(world, pod);
    const selecting = world.egressGateways.filter(({ spec }) => selects(spec.podSelector, labels));
    return selecting.at(wrong("the last gateway counts") ? -1 : 0);
  });
}

/** Bits of the longest of these blocks that contains the address; -1: none does. */
function longest(blocks: readonly string[], address: string): number {
  return Math.max(
    -1,
    ...blocks.filter((block) => contains(block, address)).map((block) => Number(block.split("/")[1])),
  );
}
