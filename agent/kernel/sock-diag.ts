// Lists the UDP sockets of this thread's network namespace and destroys single ones: sock_diag(7), inet_diag.h.

import { closeSync } from "node:fs";
import { type Address, addressOf } from "../../model/address/address.ts";
import { UDP } from "../../model/protocol.ts";
import { describeError, lastError, libbpf } from "./libbpf.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const REQUEST = 0x1;
const ACK = 0x4;
const DUMP = 0x300;
const NETLINK_HEADER = 16; // struct nlmsghdr
const DIAG_REQUEST = 56; // struct inet_diag_req_v2: family, protocol, extensions, padding, states, socket's identity
const DIAG_ANSWER = 72; // struct inet_diag_msg: family, state, timer, retransmissions, socket's identity, counters
const IDENTITY = 48; // struct inet_diag_sockid: both ports, both addresses, interface, cookie
const ESTABLISHED = 1 << 1; // a set of states; of a UDP socket: connected
const AF_INET = 2;
const AF_INET6 = 10;
const RECEIVE_BYTES = 1 << 16;

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
  return [AF_INET, AF_INET6].flatMap((family) =>
    exchange(SOCK_DIAG_BY_FAMILY, REQUEST | DUMP, diagRequest(family)).flatMap(readSocket),
  );
}

/** Destroys a socket: the program gets ECONNABORTED, and an error at every call until
 * it connects again. "unsupported": this kernel was built without CONFIG_INET_DIAG_DESTROY. */
export function destroySocket({ family, identity }: ConnectedSocket): "destroyed" | "gone" | "unsupported" {
  try {
    exchange(SOCK_DESTROY, REQUEST | ACK, diagRequest(family, identity));
    return "destroyed";
  } catch (error) {
    const code = error instanceof DiagError ? error.code : 0;
    if (code === ENOENT || code === ESTALE) return "gone";
    if (code === EOPNOTSUPP) return "unsupported";
    throw error;
  }
}

const ENOENT = 2;
const EOPNOTSUPP = 95;
const ESTALE = 116;

class DiagError extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`The kernel did not list its sockets: ${describeError(code)}.`);
    this.code = code;
  }
}

function diagRequest(family: number, identity: Uint8Array = new Uint8Array(IDENTITY)): Uint8Array {
  const request = new Uint8Array(DIAG_REQUEST);
  request.set([family, UDP]);
  new DataView(request.buffer).setUint32(4, ESTABLISHED, true);
  request.set(identity, DIAG_REQUEST - IDENTITY);
  return request;
}

/** Sends one message and returns the replies to it, without the headers. */
function exchange(type: number, flags: number, body: Uint8Array): Uint8Array[] {
  const socket = libbpf().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  if (socket < 0) throw new DiagError(lastError());
  try {
    const message = new Uint8Array(NETLINK_HEADER + body.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, message.length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, flags, true);
    message.set(body, NETLINK_HEADER);
    if (libbpf().send(socket, message, message.length, 0) < 0) throw new DiagError(lastError());
    return receive(socket);
  } finally {
    closeSync(socket);
  }
}

function receive(socket: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const buffer = new Uint8Array(RECEIVE_BYTES);
  for (;;) {
    const length = libbpf().recv(socket, buffer, buffer.length, 0);
    if (length <= 0) throw new DiagError(lastError());
    for (const { type, body } of messages(buffer.slice(0, length))) {
      if (type === NLMSG_DONE) return found;
      if (type !== NLMSG_ERROR) {
        found.push(body);
        continue;
      }
      const code = new DataView(body.buffer, body.byteOffset).getInt32(0, true);
      if (code === 0) return found;
      throw new DiagError(-code);
    }
  }
}

function messages(received: Uint8Array): { type: number; body: Uint8Array }[] {
  const view = new DataView(received.buffer, received.byteOffset, received.byteLength);
  const all: { type: number; body: Uint8Array }[] = [];
  for (let at = 0; at + NETLINK_HEADER <= received.length; ) {
    const length = view.getUint32(at, true);
    if (length < NETLINK_HEADER) break;
    all.push({ type: view.getUint16(at + 4, true), body: received.subarray(at + NETLINK_HEADER, at + length) });
    at += aligned(length);
  }
  return all;
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

function aligned(length: number): number {
  return (length + 3) & ~3;
}
