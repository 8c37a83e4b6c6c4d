import { type Address, canonicalAddress, type Family, familyOf } from "../address/address.ts";
import { Memo } from "../memo.ts";
import { type Named, named } from "../named.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { ServicePort } from "../objects/core.ts";
import type { EndpointSlice, SliceEndpoint } from "../objects/discovery.ts";
import { portProtocol, protocolName } from "../protocol.ts";
import { each, type Steps } from "../steps.ts";
import { type Hints, hintsOf } from "./topology.ts";
import type { Weights } from "./weights.ts";

/** An endpoint at one port, with what decides whether it gets new connections. */
export interface Backend {
  readonly name: Named;
  readonly address: Address;
  readonly port: number;
  readonly protocol: number;
  /** The address of the node to forward to; "::" where it is not known. */
  readonly node: Address;
  /** On this node. */
  readonly local: boolean;
  /** A process or pod on its node's network. */
  readonly hostNetwork: boolean;
  readonly ready: boolean;
  readonly servingTerminating: boolean;
  /** It is in no list: established connections continue. */
  readonly draining: boolean;
  readonly hints: Hints;
  /** Its part of the new connections, in relation to the others. */
  readonly weight: number;
}

/** What the pods say about an endpoint, which its slice does not. */
export interface KnownPods {
  /** The node of an endpoint whose slice does not name it. */
  readonly nodeOf: (address: Address) => string | undefined;
  readonly weights: Weights;
}

const numbers = new Memo<EndpointSlice, ReadonlyMap<string, number>>();

/** Ports of a slice up to which looking at each costs less than remembering where they are. */
const FEW_PORTS = 4;

/** The number that the slice has for a Service's port; undefined: its endpoints do not have that port. */
export function portIn(slice: EndpointSlice, { name, protocol }: ServicePort): number | undefined {
  if (slice.ports.length <= FEW_PORTS) {
    const isIt = (port: EndpointSlice["ports"][number]) =>
      (port.name ?? "") === (name ?? "") && (port.protocol ?? "TCP") === (protocol ?? "TCP");
    return slice.ports.find(isIt)?.port || undefined; // the first of a name counts
  }
  const known = numbers.get(slice, [], () => {
    const named = slice.ports.map(
      ({ name, protocol, port }) => [`${protocol ?? "TCP"} ${name ?? ""}`, port ?? 0] as const,
    );
    return new Map(named.reverse()); // the first of a name counts
  });
  return known.get(`${protocol ?? "TCP"} ${name ?? ""}`) || undefined;
}

/** What is wrong in a slice: "endpoints[3].addresses[0]", and why. */
export interface SliceFault {
  readonly path: string;
  readonly why: string;
}

/** An endpoint's address, if it can be a backend of the slice's family. The API server compares no families, and others write slices than it
 * checks: files, aggregated servers. */
function usableAddress({ addresses: [text = ""] }: SliceEndpoint, family: Family): Address | undefined {
  const address = canonicalAddress(text);
  return address && familyOf(address) === family && !NEVER_A_HOST[family].test(address) ? address : undefined;
}

/** Unspecified, loopback, link-local, multicast, class E: what the API server refuses, by their beginning. Cheaper than `useOf`. */
const NEVER_A_HOST: Readonly<Record<Family, RegExp>> = {
  IPv4: /^(0|127|169\.254|22[4-9]|23\d|24\d|25[0-5])\./,
  IPv6: /^(::1?$|fe[89ab]|ff)/,
};

/** The backends of one service port and family, merged over all slices, in a fixed order. `faulty` gets the first fault of each slice. */
export function* backendsOf(
  port: ServicePort,
  family: Family,
  slices: readonly EndpointSlice[],
  publishNotReady: boolean,
  nodes: NodeDirectory,
  pods: KnownPods,
  faulty: Map<EndpointSlice, SliceFault> = new Map(),
): Steps<readonly Backend[]> {
  const found = new Map<string, Backend>();
  const protocol = portProtocol(port.protocol);
  for (const slice of slices) {
    const number = slice.addressType === family ? portIn(slice, port) : undefined;
    if (number === undefined) continue;
    yield* each(slice.endpoints, (endpoint) => {
      const address = usableAddress(endpoint, family);
      if (!address) {
        if (!faulty.has(slice)) faulty.set(slice, faultOf(slice, endpoint));
        return;
      }
      const node = endpoint.nodeName ?? pods.nodeOf(address);
      const weight = pods.weights.get(address) ?? 1;
      const standing = { ...conditionsOf(endpoint, publishNotReady), hints: hintsOf(endpoint, nodes), weight };
      const backend = backendAt(address, number, protocol, node, nodes, standing);
      const place = `${address} ${number}`;
      const known = found.get(place);
      // One endpoint may stand in two slices for a moment; the better of the two counts.
      if (!known || (!known.ready && backend.ready)) found.set(place, backend);
    });
    yield; // a slice has a hundred endpoints, a Service can have hundreds of slices
  }
  return [...found.values()].sort((a, b) => (a.name.name < b.name.name ? -1 : 1));
}

function faultOf({ endpoints, addressType }: EndpointSlice, endpoint: SliceEndpoint): SliceFault {
  const [text = ""] = endpoint.addresses;
  return {
    path: `endpoints[${endpoints.indexOf(endpoint)}].addresses[0]`,
    why: `"${text.slice(0, 64)}" is no ${addressType} address that a host can have. The endpoint gets no connections; the others of the slice do.`,
  };
}

/** A pod of this node at one of its ports, whatever its conditions. */
export function podHere(address: string, port: number, protocol: number, nodes: NodeDirectory): Backend {
  const conditions = conditionsOf({ addresses: [address] }, true);
  return backendAt(address, port, protocol, nodes.facts.nodeName, nodes, { ...conditions, hints: {}, weight: 1 });
}

function backendAt(
  address: string,
  port: number,
  protocol: number,
  node: string | undefined,
  nodes: NodeDirectory,
  { ready, servingTerminating, hints, weight }: Pick<Backend, "ready" | "servingTerminating" | "hints" | "weight">,
): Backend {
  const host = nodes.nodeOf(address);
  const runsOn = host ?? node;
  // A host-network backend is its node: forwarding goes to the very address. Tunnels lead to IPv4 addresses.
  const isOwnWay = host !== undefined && familyOf(address) === "IPv4";
  const way = isOwnWay ? address : ((runsOn && nodes.underlayOf(runsOn)) ?? "::");
  // With its node: a slice of another Service may say that it is elsewhere, which is that Service's affair alone.
  // One text: a template would keep its parts beside it. And one literal: an object that is made in steps is larger.
  const name = [address, `${port}/${protocolName(protocol)}`, way].join(" ");
  return {
    name: named(name),
    address,
    node: way,
    port,
    protocol,
    local: runsOn === nodes.facts.nodeName,
    hostNetwork: host !== undefined,
    ready,
    servingTerminating,
    hints,
    weight,
    draining: false,
  };
}

/** Conditions as the EndpointSlice API defines them: ready unknown is true, serving unknown is ready. */
function conditionsOf({ conditions }: SliceEndpoint, publishNotReady: boolean) {
  const ready = (conditions?.ready ?? true) || publishNotReady;
  const serving = conditions?.serving ?? ready;
  return { ready, servingTerminating: serving && conditions?.terminating === true };
}
