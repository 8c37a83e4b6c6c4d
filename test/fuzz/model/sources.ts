// Which source addresses a packet may have, by its origin: written from the specification, not from the programs.
import { addressBytes } from "../../../model/address/address.ts";
import { localPods, nodes, pods, second, secondAddress } from "../../packets/cluster.ts";
import { neighbours } from "../../packets/node.ts";

export type TunnelKind = "overlay" | "forward" | "return";

/** How a packet came, as the model understands it. */
export type Arrival =
  | { readonly from: "pod"; readonly pod: string }
  | { readonly from: "wire"; readonly mac: string }
  | { readonly from: "tunnel"; readonly node: string; readonly to: string; readonly kind: TunnelKind }
  /** SCTP of the node's own processes, which one of the programs handed to the tunnel's device. */
  | { readonly from: "own" }
  /** From this host's stack. `by`: the pod that sent it there; isOwn: the host sent it. */
  | {
      readonly from: "stack";
      readonly by: string | undefined;
      readonly isOwn: boolean;
      readonly handledByKubeProxy: boolean;
      /** The interface that it goes to. */
      readonly to: string;
    };

const ownAddresses: readonly string[] = [nodes.master, secondAddress, second.address];
const peers: readonly string[] = [nodes.node, nodes.far];

export const isOwn = (address: string): boolean => ownAddresses.includes(address) || address.startsWith("127.");

/** Own addresses, loopback, "this network", multicast, class E, broadcasts (RFC 1122, 3.2.1.3; RFC 1812, 5.3.7). */
export function isMartian(address: string): boolean {
  const first = Number(address.split(".")[0]);
  return isMartianOfIpv6(address) || first === 0 || first >= 224 || address === "172.31.1.255" || isOwn(address);
}

/** Multicast; unspecified, loopback, and those that stand for addresses of IPv4 (RFC 4291, 2.5.2 to 2.5.5). */
function isMartianOfIpv6(address: string): boolean {
  if (!address.includes(":")) return false;
  return (
    /^(ff|::ffff:)/.test(address) ||
    addressBytes(address)
      .slice(0, 12)
      .every((byte) => byte === 0)
  );
}

/** Multicast, class E, limited broadcast: the host's own business. */
export const isForMany = (address: string): boolean => address.startsWith("ff") || Number(address.split(".")[0]) >= 224;

/** Why the source must not have been believed; undefined: it may be. */
export function forgery(arrival: Arrival, source: string): string | undefined {
  switch (arrival.from) {
    case "pod": {
      const own = localPods.find(({ name }) => name === arrival.pod)?.address;
      return own === source ? undefined : `pod ${arrival.pod} used ${source}, not its own ${own}`;
    }
    case "wire":
      return forgeryOnWire(arrival.mac, source);
    case "tunnel":
      return forgeryInTunnel(arrival, source);
    case "own":
      return isOwn(source) ? undefined : `${source} is no address of this node`;
    default:
      return forgeryInStack(arrival, source);
  }
}

/** Interfaces without a program can bring any packet to the stack. */
function forgeryInStack(
  { by, isOwn: isHosts, handledByKubeProxy }: Extract<Arrival, { from: "stack" }>,
  source: string,
) {
  if (by || isHosts || handledByKubeProxy || !pods.some(({ address }) => address === source)) return undefined;
  return `the stack received ${source} from an interface that is no workload's`;
}

function forgeryOnWire(mac: string, source: string): string | undefined {
  if (isMartian(source)) return `no host on a network has the source ${source}`;
  if (source.startsWith("10.244.")) return `${source} is of the overlay, and came unwrapped`;
  if (!source.startsWith("10.245.")) return undefined;
  const home = blockOwner(source);
  if (!home) return `${source} is of no other node`;
  const known = neighbours[home];
  return known === mac ? undefined : `${source} came from ${mac}, not from its node's ${known}`;
}

function forgeryInTunnel({ node, to, kind }: Extract<Arrival, { from: "tunnel" }>, source: string): string | undefined {
  if (!peers.includes(node)) return `${node} is no other node of the cluster`;
  if (to !== nodes.master) return `it was wrapped for ${to}, not for this node's tunnel address`;
  if (kind === "return") return undefined; // judged by the flow it answers
  if (isMartian(source)) return `no host has the source ${source}`;
  if (kind === "overlay") {
    const home = blockOwner(source);
    return source === node || home === node ? undefined : `${source} is not of the node ${node} that wrapped it`;
  }
  return /^10\.24[45]\./.test(source) ? `${source} is a workload's, and came as a client's` : undefined;
}

/** The other node in one of whose blocks an address lies. */
function blockOwner(address: string): string | undefined {
  if (/^10\.24[45]\.1\.([0-9]|[1-5][0-9]|6[0-3])$/.test(address)) return nodes.node;
  return /^10\.244\.2\.([0-9]|[1-5][0-9]|6[0-3])$/.test(address) ? nodes.far : undefined;
}
