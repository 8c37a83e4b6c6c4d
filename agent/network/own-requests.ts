// SCTP of the node's own processes to Services (docs/decisions/0039): a rule and a table of routes that send it through the tunnel's
// device, whose programs translate it. The rule applies only to SCTP packets that this machine makes.
import { type Address, type Family, familyOf } from "../../model/address/address.ts";
import { SCTP } from "../../model/protocol.ts";
import { ipBatch, ipLinesSoon } from "./ip-command.ts";
import { PROTOCOL } from "./routes.ts";
import { TUNNEL_DEVICE } from "./tunnel.ts";

/** The table of the routes; also the priority of the rule: after the one for the machine's own addresses, before those of the main
 * table. */
const TABLE = PROTOCOL;
const RULE = ["pref", `${TABLE}`, "iif", "lo", "ipproto", `${SCTP}`, "lookup", `${TABLE}`];

/** Of one family. */
export interface OwnRequestContext {
  /** The node's address. */
  readonly source: Address;
  /** The largest packet that fits the link after it is wrapped. */
  readonly mtu: number;
}

const OPTION = { IPv4: "-4", IPv6: "-6" } as const satisfies Record<Family, string>;

/** Sends SCTP to these addresses through the packet path, writing only differences. @param contexts one for each family that the node
 * has */
export async function reconcileOwnRequests(
  addresses: readonly Address[],
  contexts: readonly OwnRequestContext[],
): Promise<void> {
  for (const context of contexts) {
    const family = familyOf(context.source) ?? "IPv4";
    const wanted = addresses.filter((address) => familyOf(address) === family);
    const hasRule = await isLed(family);
    if (wanted.length === 0 && !hasRule) continue;
    ipBatch(ownRequestCommands(wanted, await routesOf(family), context));
    if (wanted.length > 0 && !hasRule) await ipLinesSoon(OPTION[family], "rule", "add", ...RULE);
    if (wanted.length === 0) await ipLinesSoon(OPTION[family], "rule", "delete", ...RULE);
  }
}

/** @param families those of the machine */
export async function removeOwnRequests(families: readonly Family[]): Promise<void> {
  for (const family of families) {
    if (!(await isLed(family))) continue;
    ipBatch(ownRequestCommands([], await routesOf(family), { source: "", mtu: 0 }));
    await ipLinesSoon(OPTION[family], "rule", "delete", ...RULE);
  }
}

/** The commands that change the routes of the table, as ip(8) prints them, to one route for each address. */
export function ownRequestCommands(
  addresses: readonly Address[],
  present: readonly string[],
  { source, mtu }: OwnRequestContext,
): string[] {
  const known = new Map(present.map((line) => [line.split(" ")[0], line]));
  const isRight = (line: string | undefined) =>
    line !== undefined &&
    [`dev ${TUNNEL_DEVICE}`, `src ${source}`, `mtu ${mtu}`].every((part) => `${line} `.includes(` ${part} `));
  const wanted = new Set(addresses);
  return [
    ...addresses
      .filter((address) => !isRight(known.get(address)))
      .map(
        (to) => `route replace ${to} dev ${TUNNEL_DEVICE} src ${source} mtu ${mtu} table ${TABLE} proto ${PROTOCOL}`,
      ),
    ...[...known.keys()]
      .filter((address) => address !== undefined && !wanted.has(address))
      .map((address) => `route delete ${address} table ${TABLE}`),
  ];
}

async function isLed(family: Family): Promise<boolean> {
  const rules = await ipLinesSoon(OPTION[family], "rule", "show");
  return rules.some((line) => line.includes(`lookup ${TABLE}`));
}

async function routesOf(family: Family): Promise<string[]> {
  try {
    return await ipLinesSoon(OPTION[family], "route", "show", "table", `${TABLE}`);
  } catch {
    return []; // ip(8) fails where there is no such table yet
  }
}
