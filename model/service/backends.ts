import {
  type Address,
  type Cidr,
  canonicalAddress,
  contains,
  type Family,
  familyOf,
  parseCidr,
} from "../address/address.ts";
import { Memo } from "../memo.ts";
import { type NodeFacts, serviceSubnetsOf } from "../node/facts.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { ServicePort } from "../objects/core.ts";
import type { EndpointSlice, SliceEndpoint } from "../objects/discovery.ts";
import { portProtocol } from "../protocol.ts";
import { each, type Steps } from "../steps.ts";
import { type Backend, backendAt, type Standing, Standings } from "./backend.ts";
import { hintsOf } from "./topology.ts";
import type { Weights } from "./weights.ts";

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
  const found = new Map<string, { readonly backend: Backend; readonly name: string }>();
  const protocol = portProtocol(port.protocol);
  const standings = new Standings();
  for (const slice of slices) {
    const number = slice.addressType === family ? portIn(slice, port) : undefined;
    if (number === undefined) continue;
    yield* each(slice.endpoints, (endpoint) => {
      const address = usableAddress(endpoint, family);
      const network = address ? clusterNetworkOf(address, nodes) : undefined;
      if (!address || network) {
        if (!faulty.has(slice)) faulty.set(slice, faultOf(slice, endpoint, network));
        return;
      }
      const { way, ...place } = placeOf(address, endpoint.nodeName ?? pods.nodeOf(address), nodes);
      const conditions = conditionsOf(endpoint, publishNotReady);
      const weight = pods.weights.get(address) ?? 1;
      const hints = hintsOf(endpoint, nodes);
      const standing = { port: number, protocol, ...place, ...conditions, draining: false, hints, weight };
      const one = backendAt(address, way, standings.shared(standing));
      const key = `${address} ${number}`;
      const known = found.get(key);
      // One endpoint may stand in two slices for a moment; the better of the two counts.
      if (!known || (!known.backend.ready && one.backend.ready)) found.set(key, one);
    });
    yield; // a slice has a hundred endpoints, a Service can have hundreds of slices
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ backend }) => backend);
}

function faultOf(
  { endpoints, addressType }: EndpointSlice,
  endpoint: SliceEndpoint,
  network: Cidr | undefined,
): SliceFault {
  const [text = ""] = endpoint.addresses;
  const why = network
    ? `${text} is in the network of cluster IPs, ${network.text}, and an endpoint cannot be a Service's address. The endpoint gets no connections; the others of the slice do. Next: name the addresses of that Service's endpoints.`
    : `"${text.slice(0, 64)}" is no ${addressType} address that a host can have. The endpoint gets no connections; the others of the slice do.`;
  return { path: `endpoints[${endpoints.indexOf(endpoint)}].addresses[0]`, why };
}

const clusterNetworks = new Memo<NodeFacts, readonly Cidr[]>();

/** The network of cluster IPs that has the address. What it is translated to would be translated once more, or not, depending on the client; kube-proxy does not. */
function clusterNetworkOf(address: Address, { facts, nodeOf }: NodeDirectory): Cidr | undefined {
  const networks = clusterNetworks.get(facts, [], () => serviceSubnetsOf(facts).map(parseCidr));
  const found = networks.find((network) => contains(network, address));
  return found && nodeOf(address) === undefined ? found : undefined;
}

/** A pod of this node at one of its ports, whatever its conditions. */
export function podHere(address: string, port: number, protocol: number, nodes: NodeDirectory): Backend {
  const { way, ...place } = placeOf(address, nodes.facts.nodeName, nodes);
  const conditions = conditionsOf({ addresses: [address] }, true);
  const standing = { port, protocol, ...place, ...conditions, draining: false, hints: {}, weight: 1 };
  return backendAt(address, way, standing).backend;
}

/** Where it runs. `way`: the address of the node to forward to. */
function placeOf(
  address: Address,
  node: string | undefined,
  nodes: NodeDirectory,
): Pick<Standing, "local" | "hostNetwork"> & { readonly way: Address } {
  const host = nodes.nodeOf(address);
  const runsOn = host ?? node;
  // A host-network backend is its node: forwarding goes to the very address. Tunnels lead to IPv4 addresses.
  const isOwnWay = host !== undefined && familyOf(address) === "IPv4";
  const way = isOwnWay ? address : ((runsOn && nodes.underlayOf(runsOn)) ?? "::");
  return { way, local: runsOn === nodes.facts.nodeName, hostNetwork: host !== undefined };
}

/** Conditions as the EndpointSlice API defines them: ready unknown is true, serving unknown is ready. */
export function conditionsOf({ conditions }: SliceEndpoint, publishNotReady: boolean) {
  const ready = (conditions?.ready ?? true) || publishNotReady;
  const serving = conditions?.serving ?? ready;
  return { ready, servingTerminating: serving && conditions?.terminating === true };
}
