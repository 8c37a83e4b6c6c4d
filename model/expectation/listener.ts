// Where a check starts probe servers of its own.
import { PORTS } from "./destination.ts";
import { FormatError, type Place, parsePlace } from "./place.ts";

/** A machine, or a node's host network. */
export type ListenerPlace = Extract<Place, { kind: "machine" | "node" }>;

/** Ports of one entry: each is a socket of the prober. */
const MOST_PORTS = 32;

/** Reads `client1` or `node/NAME`. A pod's ports belong to its containers. */
export function parseListenerPlace(text: string): ListenerPlace {
  try {
    const place = parsePlace(text);
    if (place.kind !== "pod") return place;
  } catch {
    // said below
  }
  throw new FormatError(`"${text}" is not a place to listen at`, "a machine's name or node/NAME (its host network)");
}

/** Reads `8080` or `8080,8081`. */
export function parsePorts(text: string): number[] {
  const ports = text.split(",").map((part) => part.trim());
  const fits = (port: string): boolean =>
    /^\d{1,5}$/.test(port) && Number(port) >= PORTS.least && Number(port) <= PORTS.most;
  if (ports.length > MOST_PORTS || !ports.every(fits) || new Set(ports.map(Number)).size < ports.length)
    throw new FormatError(
      `"${text.slice(0, 60)}" is not a list of ports`,
      `ports from ${PORTS.least} to ${PORTS.most}, separated by commas, each once, ${MOST_PORTS} at most`,
    );
  return ports.map(Number);
}

/** The fields of entries that can contradict each other. */
export interface StatedListener {
  at: string;
  tcp?: number[];
  udp?: number[];
}

/** Entries that are not possible: the path of the field, and what is allowed there. */
export function listenContradictions(
  entries: StatedListener[],
): { field: (string | number)[]; problem: string; allowed: string }[] {
  const taken = new Set<string>();
  return entries.flatMap((entry, index) => {
    if (!entry.tcp && !entry.udp) return [{ field: [index], problem: "has no port", allowed: "tcp, udp or both" }];
    return (["tcp", "udp"] as const).flatMap((protocol) =>
      (entry[protocol] ?? []).flatMap((port) => {
        const key = `${entry.at} ${protocol} ${port}`;
        const isNew = !taken.has(key);
        taken.add(key);
        if (isNew) return [];
        const problem = `port ${port} of ${entry.at} is listened on already`;
        return [{ field: [index, protocol], problem, allowed: "another port" }];
      }),
    );
  });
}
