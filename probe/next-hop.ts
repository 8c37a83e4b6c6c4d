import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import type { Outcome } from "./batch.ts";

/** The kernel's tables of this network namespace, in the form of proc_net(5). */
export interface Tables {
  routes: string;
  neighbours: string;
}

const neighbourComplete = 0x2;

/**
 * Why no packet to an IPv4 address can have left, checked after silence: there is no route, or the next hop does not
 * answer ARP. Undefined if packets do leave, or if this is not known.
 *
 * @param error the kernel's error for the attempt, e.g. ENETUNREACH
 */
export function whyUnsent(address: string, error: string | undefined, tables = readTables): string | undefined {
  if (!isIPv4(address) || address.startsWith("127.")) return undefined;
  const { routes, neighbours } = tables();
  const [device, , gateway = ""] = bestRoute(address, routes) ?? [];
  // Without the kernel's error a missing route is no evidence: a service's address is translated before the route lookup.
  if (device === undefined) return error === "ENETUNREACH" ? `there is no route to ${address}` : undefined;
  const hop = numberOf(gateway) === 0 ? address : dotted(gateway);
  const neighbour = rows(neighbours).find((row) => row[0] === hop && row.at(-1) === device);
  const answers = !neighbour || (Number.parseInt(neighbour[2] ?? "", 16) & neighbourComplete) !== 0;
  return answers ? undefined : `${hop} does not answer ARP on ${device}`;
}

/** The part of a silent outcome that this side explains. */
export function explainSilence(
  { verdict, error }: Outcome,
  address: string,
  tables = readTables,
): Pick<Outcome, "unsent"> {
  const silent = verdict === "dropped" || /^E(HOST|NET)UNREACH$/.test(error ?? "");
  const unsent = silent ? whyUnsent(address, error, tables) : undefined;
  return unsent ? { unsent } : {};
}

/** Columns: interface, destination, gateway, flags, four more, mask. */
function bestRoute(address: string, routes: string): string[] | undefined {
  const wanted = Buffer.from(address.split(".").map(Number)).readUInt32LE();
  const mask = (row: string[]): number => numberOf(row[7] ?? "");
  return rows(routes)
    .filter((row) => (wanted & mask(row)) >>> 0 === numberOf(row[1] ?? ""))
    .sort((one, other) => bits(mask(other)) - bits(mask(one)))[0];
}

/** The tables hold addresses as hexadecimal numbers of this computer's byte order, which is little-endian. */
const numberOf = (hexadecimal: string): number => Number.parseInt(hexadecimal, 16) >>> 0;

function dotted(hexadecimal: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(numberOf(hexadecimal));
  return bytes.join(".");
}

const bits = (mask: number): number => mask.toString(2).replaceAll("0", "").length;

/** Without the header line. */
function rows(table: string): string[][] {
  return table
    .split("\n")
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => line.trim().split(/\s+/));
}

function readTables(): Tables {
  return { routes: readFileSync("/proc/net/route", "utf8"), neighbours: readFileSync("/proc/net/arp", "utf8") };
}
