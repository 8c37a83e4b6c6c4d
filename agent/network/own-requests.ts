// SCTP of the node's own processes to Services (docs/decisions/0039): rules and a table of routes that send it through the tunnel's
// device, whose programs translate it. They apply only to SCTP packets that this machine makes, and to the answers.
import { type Address, type Family, familyOf } from "../../model/address/address.ts";
import { SCTP } from "../../model/protocol.ts";
import { MARK_OWN_ANSWER } from "../kernel/layout.gen.ts";
import { ipBatch, ipLinesSoon } from "./ip-command.ts";
import { PROTOCOL } from "./routes.ts";
import { TUNNEL_DEVICE } from "./tunnel.ts";

/** The table of the routes; also the priority of the rules: after the one for the machine's own addresses, before those of the main
 * table. */
const TABLE = PROTOCOL;

interface Rule {
  readonly selector: readonly string[];
  /** A part of what ip(8) prints of it, and of no other rule of this table. */
  readonly shown: string;
}

const REQUESTS: Rule = { selector: ["iif", "lo", "ipproto", `${SCTP}`], shown: "ipproto" };

/** By this rule the stack finds the way back to a Service's address, without which it takes no packet from there, also where no route
 * leads to it. Where rules are for what the machine itself sends (iif lo), it does not ask them about the protocol then. */
const MARK = `0x${MARK_OWN_ANSWER.toString(16)}`;
const ANSWERS: Rule = { selector: ["fwmark", MARK], shown: `fwmark ${MARK}` };

/** IPv6 does not look for the way back. */
const RULES = { IPv4: [REQUESTS, ANSWERS], IPv6: [REQUESTS] } as const satisfies Record<Family, readonly Rule[]>;

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
    const present = await rulesOf(family);
    if (wanted.length === 0 && present.length === 0) continue;
    ipBatch(ownRequestCommands(wanted, await routesOf(family), context));
    if (wanted.length === 0) await change(family, "delete", present);
    else
      await change(
        family,
        "add",
        RULES[family].filter((rule) => !present.includes(rule)),
      );
  }
}

/** @param families those of the machine */
export async function removeOwnRequests(families: readonly Family[]): Promise<void> {
  for (const family of families) {
    const present = await rulesOf(family);
    if (present.length === 0) continue;
    ipBatch(ownRequestCommands([], await routesOf(family), { source: "", mtu: 0 }));
    await change(family, "delete", present);
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

async function change(family: Family, how: "add" | "delete", rules: readonly Rule[]): Promise<void> {
  for (const { selector } of rules)
    await ipLinesSoon(OPTION[family], "rule", how, "pref", `${TABLE}`, ...selector, "lookup", `${TABLE}`);
}

/** Those that the kernel has. */
async function rulesOf(family: Family): Promise<readonly Rule[]> {
  const lines = await ipLinesSoon(OPTION[family], "rule", "show");
  const ours = lines.filter((line) => line.includes(`lookup ${TABLE}`));
  return RULES[family].filter(({ shown }) => ours.some((line) => line.includes(shown)));
}

async function routesOf(family: Family): Promise<string[]> {
  try {
    return await ipLinesSoon(OPTION[family], "route", "show", "table", `${TABLE}`);
  } catch {
    return []; // ip(8) fails where there is no such table yet
  }
}
