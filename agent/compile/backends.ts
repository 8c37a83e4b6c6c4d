import { canonicalAddress, type Family, familyOf } from "../../model/address/address.ts";
import { Memo } from "../../model/memo.ts";
import { type Named, named } from "../../model/named.ts";
import type { ServicePort } from "../../model/objects/core.ts";
import type { EndpointSlice, SliceEndpoint } from "../../model/objects/discovery.ts";
import { protocolName, TCP, UDP } from "../../model/protocol.ts";
import { each, type Steps } from "../../model/steps.ts";
import { type Backend, BackendFlag } from "../kernel/layout.gen.ts";
import type { NodeDirectory } from "./nodes.ts";

/** A backend with what decides whether it gets new connections. */
export interface Candidate {
  readonly name: Named;
  readonly value: Backend;
  readonly local: boolean;
  readonly ready: boolean;
  readonly servingTerminating: boolean;
}

/** Finds the node of an endpoint whose slice does not name it. */
export type NodeOfAddress = (address: string) => string | undefined;

const numbers = new Memo<EndpointSlice, ReadonlyMap<string, number>>();

/** The number that the slice has for a Service's port; undefined: its endpoints do not have that port. */
export function portIn(slice: EndpointSlice, { name, protocol }: ServicePort): number | undefined {
  const known = numbers.get(slice, [], () => {
    const named = slice.ports.map(
      ({ name, protocol, port }) => [`${protocol ?? "TCP"} ${name ?? ""}`, port ?? 0] as const,
    );
    return new Map(named.reverse()); // the first of a name counts
  });
  return known.get(`${protocol ?? "TCP"} ${name ?? ""}`) || undefined;
}

/** The backends of one service port and family, merged over all slices, in a fixed order. */
export function* candidates(
  port: ServicePort,
  family: Family,
  slices: readonly EndpointSlice[],
  publishNotReady: boolean,
  nodes: NodeDirectory,
  nodeOfAddress: NodeOfAddress,
): Steps<readonly Candidate[]> {
  const found = new Map<string, Candidate>();
  const protocol = port.protocol === "UDP" ? UDP : TCP;
  for (const slice of slices) {
    const number = slice.addressType === family ? portIn(slice, port) : undefined;
    if (number === undefined) continue;
    yield* each(slice.endpoints, (endpoint) => {
      const address = canonicalAddress(endpoint.addresses[0] ?? "");
      if (!address) return;
      const node = endpoint.nodeName ?? nodeOfAddress(address);
      const value = backend(address, number, protocol, node, family, nodes);
      const candidate = judge(value, endpoint, publishNotReady);
      const known = found.get(candidate.name.name);
      // One endpoint may stand in two slices for a moment; the better of the two counts.
      if (!known || (!known.ready && candidate.ready)) found.set(candidate.name.name, candidate);
    });
  }
  return [...found.values()].sort((a, b) => (a.name.name < b.name.name ? -1 : 1));
}

/** A pod of this node at one of its ports, whatever its conditions. */
export function podHere(address: string, port: number, protocol: number, nodes: NodeDirectory): Candidate {
  const value = backend(address, port, protocol, nodes.facts.nodeName, familyOf(address) ?? "IPv4", nodes);
  return judge(value, { addresses: [address] }, true);
}

function backend(
  address: string,
  port: number,
  protocol: number,
  node: string | undefined,
  family: Family,
  nodes: NodeDirectory,
): Backend {
  const host = nodes.nodeOf(address);
  const local = (host ?? node) === nodes.facts.nodeName;
  return {
    address,
    // A host-network backend is its node: forwarding goes to the very address.
    node: host ? address : ((node && nodes.addressOf(node, family)) ?? "::"),
    port,
    protocol,
    flags: (local ? BackendFlag.LOCAL : 0) | (host ? BackendFlag.HOST_NETWORK : 0),
  };
}

/** Conditions as the EndpointSlice API defines them: ready unknown is true, serving unknown is ready. */
function judge(value: Backend, { conditions }: SliceEndpoint, publishNotReady: boolean): Candidate {
  const ready = (conditions?.ready ?? true) || publishNotReady;
  const serving = conditions?.serving ?? ready;
  return {
    name: named(`${value.address} ${value.port}/${protocolName(value.protocol)}`),
    value,
    local: (value.flags & BackendFlag.LOCAL) !== 0,
    ready,
    servingTerminating: serving && conditions?.terminating === true,
  };
}

/** What stands in a service's slots: those on this node first, `localCount` of them. */
export interface SlotList {
  readonly name: Named;
  readonly slots: readonly Candidate[];
  readonly localCount: number;
}

/** Ready backends; when there is none, those that terminate but still serve (KEP-1669). */
export function clusterList(name: string, all: readonly Candidate[]): SlotList {
  const eligible = usable(all);
  const local = eligible.filter((candidate) => candidate.local);
  return {
    name: named(name),
    slots: [...local, ...eligible.filter((candidate) => !candidate.local)],
    localCount: local.length,
  };
}

/** The list for frontends that serve outside clients from this node only. It differs from the cluster's when the last
 * backend here terminates while others are ready elsewhere: traffic that still arrives here is then served to the end. */
export function localList(cluster: SlotList, all: readonly Candidate[]): SlotList {
  if (cluster.localCount > 0) return cluster;
  const local = usable(all.filter((candidate) => candidate.local));
  if (local.length === 0) return cluster;
  return { name: named(`${cluster.name.name}/local`), slots: [...local, ...cluster.slots], localCount: local.length };
}

/** Backends as the map holds them: who stands in none of the lists is given nothing new. */
export function* withDraining(all: readonly Candidate[], lists: readonly SlotList[]): Steps<readonly Candidate[]> {
  const inSlots = new Set<string>();
  for (const { slots } of lists) yield* each(slots, ({ name }) => inSlots.add(name.name));
  yield;
  return all.map((candidate) => {
    if (inSlots.has(candidate.name.name)) return candidate;
    const value = { ...candidate.value, flags: candidate.value.flags | BackendFlag.DRAINING };
    return { ...candidate, value };
  });
}

function usable(all: readonly Candidate[]): readonly Candidate[] {
  const ready = all.filter((candidate) => candidate.ready);
  return ready.length > 0 ? ready : all.filter((candidate) => candidate.servingTerminating);
}
