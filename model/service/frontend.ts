import type { Address } from "../address/address.ts";
import { protocolName } from "../protocol.ts";

/** An address, port and protocol that clients use. */
export interface Frontend {
  /** Or one of the two that stand for more (below). */
  readonly address: Address;
  readonly port: number;
  readonly protocol: number;
}

/** Any address of any node: a node port's. */
export const ANY_NODE_ADDRESS = "::";
/** The node's own loopback, in frontends of host ports. */
export const NODE_LOOPBACK = "::1";

/** "10.96.0.1:443/tcp", "node port 30604/tcp", "loopback:8080/tcp". Unique per frontend. */
export function frontendText({ address, port, protocol }: Frontend): string {
  const name = protocolName(protocol);
  if (address === ANY_NODE_ADDRESS) return `node port ${port}/${name}`;
  return `${address === NODE_LOOPBACK ? "loopback" : address}:${port}/${name}`;
}
