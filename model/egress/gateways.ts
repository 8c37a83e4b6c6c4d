import type { Address } from "../address/address.ts";
import { familyOf } from "../address/address.ts";
import { lookupIn } from "../calico-selector/expression.ts";
import { fitting } from "../calico-selector/fitting.ts";
import { firstFew } from "../first-few.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import { isLeaving, type Node } from "../objects/core.ts";
import type { EgressGateway } from "../objects/egress-gateway.ts";
import type { Problem } from "../problem.ts";
import type { EgressWay } from "./plan.ts";

/** An EgressGateway, and the node that is the gateway now. */
export interface PlacedGateway {
  readonly object: EgressGateway;
  readonly isHere: boolean;
  readonly way: EgressWay;
  /** Nodes that could be the gateway, with their tunnel addresses. */
  readonly ready: readonly Address[];
  readonly problems: readonly Problem[];
}

/** The gateway is the first node by name that is ready. A node that is cordoned, and will be drained, comes last. */
export function placeGateway(object: EgressGateway, all: readonly Node[], nodes: NodeDirectory): PlacedGateway {
  const { nodeSelector, addresses } = object.spec;
  const { nodeName } = nodes.facts;
  const fits = fitting(nodeSelector);
  const selected = all.filter(({ metadata }) => fits(lookupIn(metadata.labels ?? {})));
  const ready = selected
    .filter((node) => node.status.isReady && !isLeaving(node) && nodes.underlayOf(node.metadata.name) !== undefined)
    .sort(
      (a, b) => Number(a.spec.isCordoned) - Number(b.spec.isCordoned) || (a.metadata.name < b.metadata.name ? -1 : 1),
    );
  const places = ready.map(({ metadata }) => nodes.underlayOf(metadata.name) as Address);
  const [first] = ready;
  const result = { object, ready: places, isHere: first?.metadata.name === nodeName };
  if (!first) {
    const names = firstFew(selected.map(({ metadata }) => metadata.name).sort());
    const reason = selected.length === 0 ? "no node has such labels" : `no node of it is ready (${names})`;
    return { ...result, way: NONE, problems: [problemOf(object, "spec.nodeSelector", reason)] };
  }
  if (!result.isHere) return { ...result, way: { how: "node", node: places[0] as Address }, problems: [] };
  const missing = addresses.findIndex((address) => nodes.nodeOf(address) !== nodeName);
  if (missing >= 0) {
    const reason = `${addresses[missing]} is no address of node ${nodeName}, which is the gateway`;
    return { ...result, way: NONE, problems: [problemOf(object, `spec.addresses[${missing}]`, reason)] };
  }
  const own = Object.fromEntries(addresses.map((address) => [familyOf(address), address]));
  return { ...result, way: { how: "here", addresses: own }, problems: [] };
}

export const NONE: EgressWay = { how: "none" };

function problemOf({ metadata }: EgressGateway, path: string, reason: string): Problem {
  const message = `${reason}, so packets of its pods to its destinations are dropped. Next: correct it, or give a node of it what is missing.`;
  return { kind: "EgressGateway", name: metadata.name, path, message };
}
