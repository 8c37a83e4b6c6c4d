// The ports of this node that replace the ports of clients outside the cluster (bpf/connection/ports.h): whether the node's kernel gives
// the same ports to its own sockets, and whether there are enough.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../../model/problem.ts";
import {
  MASQUERADE_PORT_FIRST,
  MASQUERADE_PORTS,
  MASQUERADE_PORTS_KEPT,
  MASQUERADE_PORTS_OF_CLIENT,
} from "../kernel/layout.gen.ts";

const FIRST = MASQUERADE_PORT_FIRST;
const LAST = MASQUERADE_PORT_FIRST + MASQUERADE_PORTS - 1;
/** How long the Event stays: one Event for one state, although clients try again and again. */
const REPORTED_MS = 600_000;

export interface OutgoingPortsParts {
  readonly node: string;
  /** Where net.ipv4 begins: "/proc/sys". */
  readonly sysctlRoot: string;
  /** Connections for which there was no port, since the counter began. */
  readonly exhausted: () => bigint;
  readonly now?: () => number;
}

export class OutgoingPorts {
  readonly #parts: OutgoingPortsParts;
  #known: bigint | undefined;
  #reportedUntil = 0;

  constructor(parts: OutgoingPortsParts) {
    this.#parts = parts;
  }

  problems(): Problem[] {
    const now = (this.#parts.now ?? Date.now)();
    const exhausted = this.#parts.exhausted();
    if (this.#known !== undefined && exhausted > this.#known) this.#reportedUntil = now + REPORTED_MS;
    this.#known = exhausted;
    const messages = [...this.#overlap(), ...(now < this.#reportedUntil ? [EXHAUSTED] : [])];
    return messages.map((message) => ({ kind: "Node", name: this.#parts.node, path: "status", message }));
  }

  #overlap(): string[] {
    const [low, high] = numbers(this.#read("ip_local_port_range"));
    if (low === undefined || high === undefined) return [];
    const [from, to] = [Math.max(low, FIRST), Math.min(high, LAST)];
    const reserved = this.#read("ip_local_reserved_ports").split(",").map(numbers);
    if (from > to || isCovered(from, to, reserved)) return [];
    return [
      `net.ipv4.ip_local_port_range is ${low}-${high}, so this node's own connections can get ports from ${from} to ${to}, which also stand for ` +
        "pods outside the cluster (natOutgoing). Where both meet at one host, the node's connection fails. Next: set " +
        `net.ipv4.ip_local_port_range to "32768 60999", or net.ipv4.ip_local_reserved_ports to "${FIRST}-${LAST}".`,
    ];
  }

  // A kernel without the setting has no such ports.
  #read(name: string): string {
    try {
      return readFileSync(join(this.#parts.sysctlRoot, "net/ipv4", name), "utf8");
    } catch {
      return "";
    }
  }
}

const EXHAUSTED =
  "new connections to a host outside the cluster were refused, since no port of this node was free to stand for their clients " +
  `(drop_ports_exhausted): a node has ${MASQUERADE_PORTS} of them to one address and port, one client ${MASQUERADE_PORTS_OF_CLIENT}, and ${MASQUERADE_PORTS_KEPT} for connections that are kept for it. Next: see ` +
  "who opens them (inspect connections, make watch), and have it keep connections open instead of opening new ones.";

const numbers = (text: string): number[] => [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));

/** Whether ranges (or single ports) hold all ports of another one. */
function isCovered(from: number, to: number, ranges: readonly (readonly number[])[]): boolean {
  const sorted = ranges.filter(([first]) => first !== undefined).sort(([a = 0], [b = 0]) => a - b);
  let next = from;
  for (const [first = 0, last = first] of sorted) if (first <= next && last >= next) next = last + 1;
  return next > to;
}
