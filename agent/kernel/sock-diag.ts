// Lists the UDP sockets of this thread's network namespace and destroys single ones: sock_diag(7), inet_diag.h.

import { type Address, addressOf } from "../../model/address/address.ts";
import { UDP } from "../../model/protocol.ts";
import { ACK, REQUEST } from "./netlink.ts";
import { DUMP, exchange, NetlinkError } from "./netlink-exchange.ts";

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const DIAG_REQUEST = 56; // struct inet_diag_req_v2: family, protocol, extensions, padding, states, socket's identity
const DIAG_ANSWER = 72; // struct inet_diag_msg: family, state, timer, retransmissions, socket's identity, counters
const IDENTITY = 48; // struct inet_diag_sockid: both ports, both addresses, interface, cookie
const ESTABLISHED = 1 << 1; // a set of states; of a UDP socket: connected
const AF_INET = 2;
const AF_INET6 = 10;

/** A connected UDP socket. */
export interface ConnectedSocket {
  readonly family: number;
  /** The peer's: "10.96.0.10", also where a socket of IPv6 has ::ffff:10.96.0.10. */
  readonly address: string;
  readonly port: number;
  /** SO_COOKIE. */
  readonly cookie: bigint;
  /** struct inet_diag_sockid, with the cookie: never matches a later socket with the same ports. */
  readonly identity: Uint8Array;
}

/** Every connected UDP socket of this network namespace, of both families.
 * @throws Error when the kernel does not answer */
export function connectedUdpSockets(): ConnectedSocket[] {
  try {
    return [AF_INET, AF_INET6].flatMap((family) =>
      exchange(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, REQUEST | DUMP, diagRequest(family)).flatMap(readSocket),
    );
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    throw new Error(`The kernel did not list its sockets: ${error.message}.`);
  }
}

/** Destroys a socket: the program gets ECONNABORTED, and an error at every call until
 * it connects again. "unsupported": this kernel was built without CONFIG_INET_DIAG_DESTROY. */
export function destroySocket({ family, identity }: ConnectedSocket): "destroyed" | "gone" | "unsupported" {
  try {
    exchange(NETLINK_SOCK_DIAG, SOCK_DESTROY, REQUEST | ACK, diagRequest(family, identity));
    return "destroyed";
  } catch (error) {
    const code = error instanceof NetlinkError ? error.code : 0;
    if (code === ENOENT || code === ESTALE) return "gone";
    if (code === EOPNOTSUPP) return "unsupported";
    throw error;
  }
}

const ENOENT = 2;
const EOPNOTSUPP = 95;
const ESTALE = 116;

function diagRequest(family: number, identity: Uint8Array = new Uint8Array(IDENTITY)): Uint8Array {
  const request = new Uint8Array(DIAG_REQUEST);
  request.set([family, UDP]);
  new DataView(request.buffer).setUint32(4, ESTABLISHED, true);
  request.set(identity, DIAG_REQUEST - IDENTITY);
  return request;
}

function readSocket(answer: Uint8Array): ConnectedSocket[] {
  if (answer.length < DIAG_ANSWER) return [];
  const family = answer[0] as number;
  const identity = answer.slice(4, 4 + IDENTITY);
  const view = new DataView(identity.buffer);
  const address = peerOf(family, identity.subarray(20, 36));
  return [{ family, address, port: view.getUint16(2), cookie: view.getBigUint64(40, true), identity }];
}

/** An IPv4 peer of a socket of IPv6 is ::ffff:a.b.c.d, which is written as IPv4. */
function peerOf(family: number, bytes: Uint8Array): Address {
  return family === AF_INET ? bytes.subarray(0, 4).join(".") : addressOf([...bytes]);
}
