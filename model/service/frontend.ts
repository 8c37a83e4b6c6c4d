import type { Address, Family } from "../address/address.ts";
import { protocolName } from "../protocol.ts";

/** An address, port and protocol that clients use. */
export interface Frontend {
  /** Or one that represents several addresses (below). */
  readonly address: Address;
  readonly port: number;
  readonly protocol: number;
}

// Keys that represent several addresses are in ::/96, which no packet has: the packet path refuses it (RFC 4291, 2.5.5.1).

/** All addresses of all nodes, by family: a node port's. */
export const ANY_NODE = { IPv4: "::4", IPv6: "::6" } as const satisfies Record<Family, Address>;
/** The node's own loopback, by family: in frontends of host ports. */
export const NODE_LOOPBACK = { IPv4: "::1:4", IPv6: "::1:6" } as const satisfies Record<Family, Address>;

/** In place of a port and of a protocol: all others at a cluster address, which has this frontend, without backends, beside its ports'. */
export const OTHER_PORTS = 0;

const names: ReadonlyMap<Address, string> = new Map([
  [ANY_NODE.IPv4, "any node"],
  [ANY_NODE.IPv6, "any node (IPv6)"],
  [NODE_LOOPBACK.IPv4, "loopback"],
  [NODE_LOOPBACK.IPv6, "loopback (IPv6)"],
]);

/** "any node", "loopback (IPv6)"; undefined: an address that packets have. */
export function nameOfSeveral(address: Address): string | undefined {
  return names.get(address);
}

export function isNodeLoopback(address: Address): boolean {
  return address === NODE_LOOPBACK.IPv4 || address === NODE_LOOPBACK.IPv6;
}

/** "10.96.0.1:443/tcp", "node port 30604/tcp", "loopback:8080/tcp". Unique per frontend. */
export function frontendText({ address, port, protocol }: Frontend): string {
  const name = protocolName(protocol);
  if (port === OTHER_PORTS && protocol === OTHER_PORTS) return `${address}, other ports`;
  if (address === ANY_NODE.IPv4) return `node port ${port}/${name}`;
  if (address === ANY_NODE.IPv6) return `IPv6 node port ${port}/${name}`;
  return `${nameOfSeveral(address) ?? address}:${port}/${name}`;
}
