// Changes interfaces, addresses, neighbors and routes without a process: rtnetlink(7).
import { closeSync, openSync, readSync, write } from "node:fs";
import { promisify } from "node:util";
import { describeError, lastError, libbpf } from "./libbpf.ts";
import {
  ACK,
  AF_NETLINK,
  NLMSG_ERROR,
  netlinkError,
  netlinkMessage,
  netlinkMessages,
  REQUEST,
  SOCK_RAW_CLOEXEC,
} from "./netlink.ts";
import { inNamespace } from "./network-namespace.ts";

const SOCK_NONBLOCK = 0o4000;
const NETLINK_ROUTE = 0;
const RECEIVE_BYTES = 1 << 16;

/** One message to the kernel. */
export interface RouteRequest {
  /** For the error: "add the interface ebpf1". */
  readonly what: string;
  readonly type: number;
  /** Besides those that ask for an answer. */
  readonly flags: number;
  readonly body: Uint8Array;
}

/** The kernel refused changes. */
export class ChangeRefused extends Error {
  /** In the order of the requests; a negative errno each. */
  readonly failed: readonly { readonly request: RouteRequest; readonly code: number }[];

  constructor(failed: ChangeRefused["failed"]) {
    const reasons = failed.map(({ request, code }) => `${request.what}: ${describeError(code)}`);
    super(`Cannot ${reasons.join("; cannot ")}.`);
    this.name = "ChangeRefused";
    this.failed = failed;
  }
}

const writing = promisify(write);

/** Sends all requests at once. Each is tried, even after one that failed; rejects with ChangeRefused for those that failed. The kernel
 * works while they are written, and may wait for other changes of interfaces; the event loop continues meanwhile. @param netns network
 * namespace; absent: this thread's */
export async function changeNetwork(requests: readonly RouteRequest[], netns?: string): Promise<void> {
  const socket = netns === undefined ? open() : inNamespace(netns, open);
  try {
    await writing(socket, encoded(requests));
    expectDone(socket, requests);
  } finally {
    closeSync(socket);
  }
}

/** `work` with a file descriptor of a network namespace, for a request that names it. */
export async function withNamespace<T>(netns: string, work: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(netns, "r");
  try {
    return await work(fd);
  } finally {
    closeSync(fd);
  }
}

function open(): number {
  const socket = libbpf().socket(AF_NETLINK, SOCK_RAW_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (socket < 0) throw new Error(`Cannot open a netlink socket: ${describeError(lastError())}.`);
  return socket;
}

function encoded(requests: readonly RouteRequest[]): Buffer {
  return Buffer.concat(
    requests.map(({ type, flags, body }, place) => netlinkMessage(type, REQUEST | ACK | flags, body, place)),
  );
}

/** Reads the answers: all of them have arrived when the requests are written. */
function expectDone(socket: number, requests: readonly RouteRequest[]): void {
  const codes = new Map<number, number>();
  const buffer = Buffer.alloc(RECEIVE_BYTES);
  while (codes.size < requests.length)
    for (const message of netlinkMessages(buffer.subarray(0, readSync(socket, buffer))))
      if (message.type === NLMSG_ERROR) codes.set(message.sequence, netlinkError(message));
  const failed = requests.flatMap((request, place) => {
    const code = codes.get(place) ?? 0;
    return code === 0 ? [] : { request, code };
  });
  if (failed.length > 0) throw new ChangeRefused(failed);
}
