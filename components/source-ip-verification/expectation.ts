import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { oneOf, requireWhole } from "../values/choices.ts";

/** What an attempted connection shows. */
export enum Verdict {
  /** Something came back. */
  Allowed = "allowed",
  /** Nothing came back. */
  Dropped = "dropped",
  /** A reset, or an ICMP error. */
  Rejected = "rejected",
}

/** How a reply returns to a client outside the cluster. */
export enum ReplyPath {
  /** Past the node that the client connected to. */
  Direct = "direct",
  /** Through it. */
  ViaEntryNode = "viaEntryNode",
}

/** One more thing that must hold, in the words of check files (docs/checks.md). */
export interface Expectation {
  /** Who tries: a machine, `node/NAME`, `pod/NAMESPACE/NAME` or `pod/NAMESPACE/LABEL=VALUE`. */
  from: string;
  /** What it tries to reach, like `tcp://service/default/nginx:80` or `udp://172.31.1.8:30053`. */
  to: string;
  /** What must be shown. */
  verdict: Verdict;
  /** Whom the server must have seen: an address, a machine, `node/NAME` or `pod/NAMESPACE/NAME`. Defaults to anybody. */
  source?: string;
  /** Instead of `source`: any one of several. */
  sources?: string[];
  /** Local port to bind. Defaults to any. */
  sourcePort?: number;
  /** Pods that may answer: `NAMESPACE/NAME` or `NAMESPACE/LABEL=VALUE`. Defaults to anybody. */
  servers?: string[];
  /** So many distinct servers must answer, at least. Defaults to one. */
  spread?: number;
  /** So many distinct servers may answer, at most, and less than `count`: 1 with session affinity. Defaults to any number. */
  spreadAtMost?: number;
  /** Attempts, each a fresh connection or datagram. Defaults to 1. */
  count?: number;
  /** How replies must return. Defaults to any way. */
  reply?: ReplyPath;
}

/** Refuses what cannot be an expectation; the rest is the check's to judge, which knows the cluster. */
export function requireExpectation(place: InputPlace, expectation: Expectation): void {
  const { from, to, verdict, source, sources, sourcePort, servers, spread, spreadAtMost, count = 1 } = expectation;
  if (!from) refuse(at(place, "from"), from, "a machine, node/NAME or pod/NAMESPACE/NAME");
  const port = Number(/^(?:tcp|udp):\/\/.+:(\d{1,5})$/.exec(to)?.[1] ?? 0);
  if (port < 1 || port > 65535)
    refuse(at(place, "to"), to, "tcp://HOST:PORT or udp://HOST:PORT, with a port from 1 to 65535");
  if (source !== undefined && sources) refuse(at(place, "sources"), sources, "absent where source is given");
  if (servers?.length === 0) refuse(at(place, "servers"), servers, "at least one NAMESPACE/NAME");
  if (sources?.length === 0) refuse(at(place, "sources"), sources, "at least one source");
  if (sourcePort !== undefined) requireWhole(at(place, "sourcePort"), sourcePort, 1, 65535);
  requireWhole(at(place, "count"), count, 1, 1000);
  if (spread !== undefined) requireWhole(at(place, "spread"), spread, 1, count);
  if (spreadAtMost !== undefined) requireWhole(at(place, "spreadAtMost"), spreadAtMost, spread ?? 1, count - 1);
  const given = spread !== undefined ? "spread" : spreadAtMost !== undefined ? "spreadAtMost" : undefined;
  if (given && verdict !== Verdict.Allowed)
    refuse(at(place, "verdict"), verdict, `${oneOf([Verdict.Allowed])} where ${given} is given`);
}

/** The expectation as check files write it. */
export function asWritten({ sources, ...rest }: Expectation) {
  return sources ? { ...rest, source: { anyOf: sources } } : rest;
}
