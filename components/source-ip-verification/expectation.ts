import type * as pulumi from "@pulumi/pulumi";
import { FAMILIES } from "../../model/address/address.ts";
import { PORTS, parseDestination } from "../../model/expectation/destination.ts";
import { parsePath, STATUS } from "../../model/expectation/http.ts";
import { FormatError, parsePlace, parseServer, parseSource } from "../../model/expectation/place.ts";
import { COUNTS, contradictionsIn, SIZES, type Stated } from "../../model/expectation/rules.ts";
import type { AddressFamily } from "../machine/address-family.ts";
import { at, checked, type InputPlace, refuse } from "../refusal/refusal.ts";
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

/** How many distinct servers must answer, over all attempts. */
export interface DistinctServers {
  /** So many, at least. Defaults to one. */
  atLeast?: number;
  /** So many, at most: 1 with session affinity. Defaults to any number. */
  atMost?: number;
}

/** An ICMP query. */
export interface IcmpQuery {
  /** Its type: 8 echo request, 13 timestamp; over IPv6 128. Defaults to an echo request. */
  type?: number;
  /** Its code. Defaults to 0. */
  code?: number;
}

/** What an HTTP server must answer. */
export interface HttpAnswer {
  /** The path that is asked for. Defaults to `/`. */
  path?: pulumi.Input<string>;
  /** The status of each answer. Defaults to 200. */
  status?: number;
}

/** A further expectation, in the words of check files (docs/checks.md). */
export interface Expectation {
  /** The source: a machine, `node/NAME`, `pod/NAMESPACE/NAME` or `pod/NAMESPACE/LABEL=VALUE`. */
  from: pulumi.Input<string>;
  /** The destination, like `tcp://service/default/nginx:80`, `udp://172.31.1.8:30053` or `icmp://node/master`. */
  to: pulumi.Input<string>;
  /** The required result. */
  verdict: Verdict;
  /** The client that the server must have seen: an address, a machine, `node/NAME` or `pod/NAMESPACE/NAME`. Defaults to any. */
  source?: pulumi.Input<string>;
  /** Instead of `source`: any one of several. */
  sources?: pulumi.Input<string>[];
  /** Local port to bind. Defaults to any. */
  sourcePort?: number;
  /** Whether the socket stays open, so that later steps with the same `from`, `to` and `sourcePort` use it. Defaults to false. */
  keep?: boolean;
  /** Pods that may answer: `NAMESPACE/NAME` or `NAMESPACE/LABEL=VALUE`. Defaults to any. */
  servers?: pulumi.Input<string>[];
  /** How many distinct servers must answer. Defaults to any number. */
  distinct?: DistinctServers;
  /** Short form of `distinct.atLeast`. */
  spread?: number;
  /** Short form of `distinct.atMost`, and less than `count`. */
  spreadAtMost?: number;
  /** What an HTTP server must answer; only with `tcp://`. Defaults to anything. */
  http?: HttpAnswer;
  /** The ICMP query; only with `icmp://`. Defaults to an echo request. */
  icmp?: IcmpQuery;
  /** Bytes that are sent, and that the server must send back whole: a probe server, or any echo server. Defaults to a request. */
  size?: number;
  /** The family of the address that the host in `to` stands for. Defaults to its first address. */
  family?: AddressFamily;
  /** Attempts, each a fresh connection or datagram. Defaults to 1. */
  count?: number;
  /** How replies must return. Defaults to any way. */
  reply?: ReplyPath;
}

/** Refuses what cannot be an expectation; the rest is the check's to judge, which knows the cluster. */
export function requireExpectation(place: InputPlace, expectation: Expectation): Expectation {
  const {
    source,
    sources,
    sourcePort,
    servers,
    spread,
    spreadAtMost,
    distinct,
    http,
    icmp,
    size,
    family,
    count = 1,
  } = expectation;
  if (source !== undefined && sources) refuse(at(place, "sources"), sources, "absent where source is given");
  if (servers?.length === 0) refuse(at(place, "servers"), servers, "at least one NAMESPACE/NAME");
  if (sources?.length === 0) refuse(at(place, "sources"), sources, "at least one source");
  if (sourcePort !== undefined) requireWhole(at(place, "sourcePort"), sourcePort, PORTS.least, PORTS.most);
  for (const [field, number] of Object.entries({ count, spread, spreadAtMost }))
    if (number !== undefined) requireWhole(at(place, field), number, COUNTS.least, COUNTS.most);
  for (const [field, number] of Object.entries(distinct ?? {}))
    requireWhole(at(at(place, "distinct"), field), number, COUNTS.least, COUNTS.most);
  for (const [field, number] of Object.entries(icmp ?? {})) requireWhole(at(at(place, "icmp"), field), number, 0, 255);
  if (size !== undefined) requireWhole(at(place, "size"), size, SIZES.least, SIZES.tcp);
  if (http?.status !== undefined) requireWhole(at(at(place, "http"), "status"), http.status, STATUS.least, STATUS.most);
  if (family !== undefined && !FAMILIES.includes(family)) refuse(at(place, "family"), family, oneOf([...FAMILIES]));
  const fit = {
    ...expectation,
    from: requireForm(at(place, "from"), expectation.from, parsePlace),
    to: requireForm(at(place, "to"), expectation.to, parseDestination),
    ...(http?.path !== undefined && {
      http: { ...http, path: requireForm(at(at(place, "http"), "path"), http.path, parsePath) },
    }),
    ...(source !== undefined && { source: requireForm(at(place, "source"), source, parseSource) }),
    ...(sources && { sources: requireForms(at(place, "sources"), sources, parseSource) }),
    ...(servers && { servers: requireForms(at(place, "servers"), servers, parseServer) }),
  };
  const { from, to } = namesOf(expectation);
  for (const { field, allowed } of contradictionsIn({ ...expectation, count, from, to })) {
    const keys = field.split(".");
    refuse(keys.reduce(at, place), valueAt(expectation, keys), allowed);
  }
  return fit;
}

/** What `from` and `to` name, if they are known now; the program that reads the document looks again. */
function namesOf({ from, to }: Expectation): Pick<Stated, "from" | "to"> {
  return {
    from: typeof from === "string" ? parsePlace(from) : undefined,
    to: typeof to === "string" ? parseDestination(to) : undefined,
  };
}

function valueAt(value: object, keys: string[]): unknown {
  return keys.reduce<unknown>((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], value);
}

function requireForms(place: InputPlace, texts: pulumi.Input<string>[], parse: (text: string) => unknown) {
  return texts.map((text, index) => requireForm(at(place, index), text, parse));
}

/** Refuses a text that a check file could not have there either. */
function requireForm(place: InputPlace, text: pulumi.Input<string>, parse: (text: string) => unknown) {
  return checked(text, (known) => {
    try {
      parse(known);
      return known;
    } catch (error) {
      if (error instanceof FormatError) return refuse(place, known, error.allowed);
      throw error;
    }
  });
}

/** The expectation as check files write it. */
export function asWritten({ sources, ...rest }: pulumi.Unwrap<Expectation>) {
  return sources ? { ...rest, source: { anyOf: sources } } : rest;
}
