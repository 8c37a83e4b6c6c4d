// One request to the kernel and its complete answer: netlink(7).
import { closeSync } from "node:fs";
import { describeError, lastError, libbpf } from "./libbpf.ts";
import {
  AF_NETLINK,
  NLMSG_DONE,
  NLMSG_ERROR,
  netlinkError,
  netlinkErrorText,
  netlinkMessage,
  netlinkMessages,
  SOCK_RAW_CLOEXEC,
} from "./netlink.ts";

/** Flag of a request for a list. */
export const DUMP = 0x300;
const RECEIVE_BYTES = 1 << 16;

const SOL_NETLINK = 270;
/** An error then has a sentence beside its number, and no copy of the request: NETLINK_EXT_ACK, NETLINK_CAP_ACK. */
const ANSWERS = [11, 10];

/** The kernel refused. */
export class NetlinkError extends Error {
  /** A positive errno. */
  readonly code: number;
  /** The kernel's sentence. */
  readonly reason: string | undefined;
  constructor(code: number, reason?: string) {
    super(describeError(code));
    this.name = "NetlinkError";
    this.code = code;
    this.reason = reason;
  }
}

/** Sends one message and returns the replies to it, without the headers. @throws NetlinkError */
export function exchange(protocol: number, type: number, flags: number, body: Uint8Array): Uint8Array[] {
  return [...exchangeInPieces(protocol, type, flags, body)].flat();
}

/** The same for a list that may be long: the kernel makes the next piece, of some hundred replies, when it is asked for. */
export function* exchangeInPieces(
  protocol: number,
  type: number,
  flags: number,
  body: Uint8Array,
): Generator<Uint8Array[]> {
  const socket = libbpf().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  if (socket < 0) throw new NetlinkError(lastError());
  try {
    const on = new Uint8Array(Uint32Array.of(1).buffer);
    for (const option of ANSWERS) libbpf().setsockopt(socket, SOL_NETLINK, option, on, on.length);
    const message = netlinkMessage(type, flags, body);
    if (libbpf().send(socket, message, message.length, 0) < 0) throw new NetlinkError(lastError());
    yield* receive(socket);
  } finally {
    closeSync(socket);
  }
}

function* receive(socket: number): Generator<Uint8Array[]> {
  const buffer = new Uint8Array(RECEIVE_BYTES);
  for (;;) {
    const length = libbpf().recv(socket, buffer, buffer.length, 0);
    if (length <= 0) throw new NetlinkError(lastError());
    const { bodies, isLast } = piece(buffer.slice(0, length));
    yield bodies;
    if (isLast) return;
  }
}

function piece(received: Uint8Array): { bodies: Uint8Array[]; isLast: boolean } {
  const bodies: Uint8Array[] = [];
  for (const message of netlinkMessages(received)) {
    if (message.type === NLMSG_DONE) return { bodies, isLast: true };
    if (message.type !== NLMSG_ERROR) {
      bodies.push(message.body);
      continue;
    }
    const code = netlinkError(message);
    if (code === 0) return { bodies, isLast: true };
    throw new NetlinkError(-code, netlinkErrorText(message));
  }
  return { bodies, isLast: false };
}
