// Contradictions within an expectation: the same rules for check files and for components.
import { familyOf } from "../address/address.ts";
import type { Destination } from "./destination.ts";
import type { Place } from "./place.ts";

/** How many servers may answer. */
export interface Distinct {
  atLeast?: number;
  atMost?: number;
}

/** The fields of an expectation that can contradict each other, from components and check files alike. */
export interface Stated {
  verdict: string;
  /** Attempts. */
  count: number;
  /** Least number of servers that answer. */
  spread?: number;
  /** Largest number of servers that answer. */
  spreadAtMost?: number;
  distinct?: Distinct;
  http?: object;
  /** Bytes that are sent. */
  size?: number;
  icmp?: { type?: number; code?: number };
  sourcePort?: number;
  /** One socket over several steps. */
  keep?: boolean;
  source?: unknown;
  sources?: unknown;
  servers?: unknown;
  reply?: string;
  family?: string;
  /** Absent: not known yet. */
  from?: Place;
  to?: Destination;
}

/** A field that cannot be met together with the others. */
export interface Contradiction {
  /** Its path, like `distinct.atLeast`. */
  field: string;
  /** Why, as the rest of a sentence about the field. */
  problem: string;
  allowed: string;
}

/** Attempts of one expectation. */
export const COUNTS = { least: 1, most: 1000 };

/** The most bytes that one attempt sends. Over UDP they are one datagram, to which the server adds its identity. */
export const SIZES = { least: 1, tcp: 100_000_000, udp: 65_000 };

/** Bytes that all attempts of an expectation send from one place. */
const LARGEST_SUM = 1_000_000_000;

/** Every contradiction, in the order of the fields. */
export function contradictionsIn(stated: Stated): Contradiction[] {
  return [...spreadContradictions(stated), ...distinctContradictions(stated), ...wordContradictions(stated)];
}

function spreadContradictions(stated: Stated): Contradiction[] {
  const { verdict, count, spread, spreadAtMost } = stated;
  const found: Contradiction[] = [];
  if (spread !== undefined && spread > count && !isSeveral(stated)) found.push(tooMany("spread", spread, count));
  if (spreadAtMost !== undefined && spreadAtMost >= count && !isSeveral(stated))
    found.push(alwaysKept("spreadAtMost", count));
  if (spread !== undefined && spreadAtMost !== undefined && spread > spreadAtMost)
    found.push(below("spreadAtMost", "spread", spread));
  for (const [field, given] of Object.entries({ spread, spreadAtMost }))
    if (given !== undefined && verdict !== "allowed") found.push(needsAnswers(field, verdict));
  return found;
}

/** `spread` and `spreadAtMost` are its short forms. */
function distinctContradictions(stated: Stated): Contradiction[] {
  const { verdict, count, spread, spreadAtMost, distinct } = stated;
  if (!distinct) return [];
  const { atLeast, atMost } = distinct;
  const found: Contradiction[] = [];
  if (atLeast === undefined && atMost === undefined)
    found.push({ field: "distinct", problem: "has no limit", allowed: "atLeast, atMost or both" });
  for (const [short, given] of Object.entries({ spread, spreadAtMost }))
    if (given !== undefined)
      found.push({
        field: short,
        problem: "is the short form of what distinct says",
        allowed: "absent where distinct is given",
      });
  if (atLeast !== undefined && atLeast > count && !isSeveral(stated))
    found.push(tooMany("distinct.atLeast", atLeast, count));
  // With one attempt no answer could exceed the limit; the author forgot `count`.
  if (atMost !== undefined && count === 1 && !isSeveral(stated)) found.push(alwaysKept("distinct.atMost", count));
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost)
    found.push(below("distinct.atMost", "atLeast", atLeast));
  if (verdict !== "allowed") found.push(needsAnswers("distinct", verdict));
  return found;
}

function wordContradictions(stated: Stated): Contradiction[] {
  const { verdict, http, family, to } = stated;
  const found: Contradiction[] = [
    ...keepContradictions(stated),
    ...sizeContradictions(stated),
    ...icmpContradictions(stated),
  ];
  if (http && to && to.protocol !== "tcp")
    found.push({
      field: "http",
      problem: `needs TCP, and to is ${to.protocol}://`,
      allowed: "absent unless to is tcp://",
    });
  if (http && verdict !== "allowed") found.push(needsAnswers("http", verdict));
  if (family !== undefined && to?.host.kind === "address" && familyOf(to.host.address) !== family) {
    const { address } = to.host;
    found.push({
      field: "family",
      problem: `${address} in to is an ${familyOf(address)} address`,
      allowed: `${familyOf(address)}, or a host that is a name`,
    });
  }
  return found;
}

/** A kept socket is found again by its port. It carries requests that have answers. */
function keepContradictions({ keep, sourcePort, size, to }: Stated): Contradiction[] {
  if (!keep) return [];
  const found: Contradiction[] = [];
  if (to && to.protocol !== "tcp" && to.protocol !== "udp")
    found.push({
      field: "keep",
      problem: `to is ${to.protocol}://, for which no socket can be kept`,
      allowed: "absent unless to is tcp:// or udp://",
    });
  else if (sourcePort === undefined)
    found.push({
      field: "keep",
      problem: "needs sourcePort, by which later steps find the socket again",
      allowed: "absent, or true beside sourcePort",
    });
  if (size !== undefined)
    found.push({
      field: "size",
      problem: "ends the connection when everything is sent",
      allowed: "absent where keep is true",
    });
  return found;
}

/** ICMP has no ports, and no server that reports itself or the client it saw: only an answer shows that a query arrived. */
function icmpContradictions(stated: Stated): Contradiction[] {
  const { to, icmp } = stated;
  if (!to) return [];
  if (to.protocol !== "icmp")
    return icmp ? [{ field: "icmp", problem: `to is ${to.protocol}://`, allowed: "absent unless to is icmp://" }] : [];
  const { sourcePort, source, sources, servers, spread, spreadAtMost, distinct, http, reply } = stated;
  const absent = Object.entries({ sourcePort, source, sources, servers, spread, spreadAtMost, distinct, http, reply });
  const found = absent
    .filter(([, given]) => given !== undefined)
    .map(([field]) => ({
      field,
      problem: "says nothing about ICMP, which has no ports and no server that reports what it saw",
      allowed: "absent where to is icmp://",
    }));
  const { type } = icmp ?? {};
  const types = QUERIES[(to.host.kind === "address" && familyOf(to.host.address)) || "both"];
  if (type === undefined || types.includes(type)) return found;
  const problem = `${type} has no answer that could be judged`;
  return [...found, { field: "icmp.type", problem, allowed: `a query that hosts answer: ${types.join(", ")}` }];
}

/** Types that hosts answer: echo and timestamp (RFC 792), and echo of ICMPv6 (RFC 4443). RFC 6918 deprecated the others. */
const QUERIES = { IPv4: [8, 13], IPv6: [128], both: [8, 13, 128] };

function sizeContradictions({ size, count, http, to }: Stated): Contradiction[] {
  if (size === undefined) return [];
  const found: Contradiction[] = [];
  const most = to?.protocol === "udp" || to?.protocol === "icmp" ? SIZES.udp : SIZES.tcp;
  if (to?.protocol === "sctp")
    found.push({ field: "size", problem: "is not sent over SCTP", allowed: "absent where to is sctp://" });
  if (size > most)
    found.push({
      field: "size",
      problem: `${size} bytes are too many over ${to?.protocol}`,
      allowed: `at most ${most}`,
    });
  if (size * count > LARGEST_SUM)
    found.push({
      field: "size",
      problem: `${count} attempts would send ${size * count} bytes`,
      allowed: `at most ${Math.floor(LARGEST_SUM / count)} with count ${count}`,
    });
  if (http)
    found.push({
      field: "size",
      problem: "cannot be sent beside an HTTP request",
      allowed: "absent where http is given",
    });
  return found;
}

/** Whether `count` is not the number of all attempts, because labels may select several pods. */
const isSeveral = ({ from, to }: Stated): boolean =>
  [from, to?.host].some((place) => place?.kind === "pod" && place.labels !== undefined);

const tooMany = (field: string, servers: number, count: number): Contradiction => ({
  field,
  problem: `${servers} servers cannot answer ${count} attempts`,
  allowed: `at most count, which is ${count}`,
});

const alwaysKept = (field: string, count: number): Contradiction => ({
  field,
  problem: `${count} attempts always keep to it`,
  allowed: `less than count, which is ${count}`,
});

const below = (field: string, other: string, least: number): Contradiction => ({
  field,
  problem: `is less than ${other}, which is ${least}`,
  allowed: `${other} or more`,
});

const needsAnswers = (field: string, verdict: string): Contradiction => ({
  field,
  problem: `needs answers, and verdict is ${verdict}`,
  allowed: "absent unless verdict is allowed",
});
