// Lists the UDP sockets of this thread's network namespace and destroys single ones: sock_diag(7), inet_diag.h.

import { type Address, addressOf } from "../../model/address/address.ts";
import { UDP } from "../../model/protocol.ts";
import { address } from "./address.ts";
import { encodeOne } from "./codec.ts";
import type { OutlivedSocket } from "./layout.gen.ts";
import { ACK, REQUEST } from "./netlink.ts";
import { DUMP, exchange, exchangeInPieces, NetlinkError } from "./netlink-exchange.ts";

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

/** Every connected UDP socket of this network namespace, of both families, some hundred at a time.
 * @throws Error when the kernel does not answer */
export function* connectedUdpSockets(): Generator<ConnectedSocket[]> {
  try {
    for (const family of [AF_INET, AF_INET6]) {
      const question = [SOCK_DIAG_BY_FAMILY, REQUEST | DUMP, diagRequest(family)] as const;
      for (const answers of exchangeInPieces(NETLINK_SOCK_DIAG, ...question)) yield answers.flatMap(readSocket);
    }
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    throw new Error(`The kernel did not list its sockets: ${error.message}.`);
  }
}

/** Of a socket that the packet path tells of: struct inet_diag_sockid. */
export function identityOf({
  family,
  source,
  sourcePort,
  peer,
  interface: device,
  cookie,
}: OutlivedSocket): Uint8Array {
  const identity = new Uint8Array(IDENTITY);
  const view = new DataView(identity.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, peer.port);
  const bytesOf = (one: Address) => encodeOne(address, one).subarray(family === AF_INET ? 12 : 0);
  identity.set(bytesOf(source), 4);
  identity.set(bytesOf(peer.address), 20);
  view.setUint32(36, device, true);
  view.setBigUint64(40, cookie, true);
  return identity;
}

/** Destroys a socket: the program gets ECONNABORTED, and an error at every call until
 * it connects again. "unsupported": this kernel was built without CONFIG_INET_DIAG_DESTROY. */
export function destroySocket({
  family,
  identity,
}: Pick<ConnectedSocket, "family" | "identity">): "destroyed" | "gone" | "unsupported" {
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
