// The number that identifies a network namespace in the kernel's socket hooks: SO_NETNS_COOKIE of any socket in it (since
// 5.14). It is unique until the next boot.
import { closeSync, openSync } from "node:fs";
import { libbpf } from "./libbpf.ts";

// linux/socket.h, asm-generic/socket.h, linux/sched.h
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;
const CLONE_NEWNET = 0x40000000;

/** Runs `work`, which must be synchronous, with this thread in another network namespace. @throws Error if it cannot be
 * entered. If the thread cannot return, the process exits: everything else would happen in the wrong namespace. */
export function inNamespace<T>(path: string, work: () => T): T {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    const target = openSync(path, "r");
    try {
      if (libbpf().setns(target, CLONE_NEWNET) < 0) throw new Error(`Cannot enter the network namespace ${path}.`);
    } finally {
      closeSync(target);
    }
    try {
      return work();
    } finally {
      if (libbpf().setns(home, CLONE_NEWNET) < 0) process.abort();
    }
  } finally {
    closeSync(home);
  }
}

/** The cookie, in decimal. @param path of a network namespace; default: this thread's own
 * @returns undefined if there is no namespace at the path, or the kernel does not report cookies */
export function namespaceCookie(path?: string): string | undefined {
  try {
    return path === undefined ? cookieHere() : inNamespace(path, cookieHere);
  } catch {
    return undefined;
  }
}

function cookieHere(): string | undefined {
  const socket = libbpf().socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (socket < 0) return undefined;
  try {
    const cookie = new BigUint64Array(1);
    const length = Uint32Array.of(cookie.byteLength);
    const bytes = new Uint8Array(cookie.buffer);
    if (libbpf().getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, bytes, length) < 0) return undefined;
    return String(cookie[0]);
  } finally {
    closeSync(socket);
  }
}
