// Readable forms of map contents.
import type { Address } from "../../../model/address/address.ts";
import { protocolName } from "../../../model/protocol.ts";
import { nameOfSeveral } from "../../../model/service/frontend.ts";
import { defaultKey, type PolicyNames } from "../../compile/desired.ts";
import { POLICY_ANY_IDENTITY } from "../../kernel/layout.gen.ts";

export function protocol(number: number): string {
  return protocolName(number).toUpperCase();
}

/** "172.31.1.8:30604", "[fd00::1]:80"; "any node:30604" for a node port, "loopback:8080" for a host port there. */
export function addressAndPort(address: Address, port: number): string {
  const several = nameOfSeveral(address);
  if (several) return `${several}:${port}`;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The names of the set bits: "external_local, affinity". */
export function flagNames(flags: number, names: ReadonlyMap<number, string>): string {
  return [...names]
    .filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(", ");
}

/** Names of identities, policies and rules by number; a number without a name is shown as a number. */
export type NumberNames = PolicyNames;

export function identity(number: number, { identities }: NumberNames): string {
  if (number === POLICY_ANY_IDENTITY) return "any";
  return identities.get(number) ?? (number === 0 ? "not named by any policy" : String(number));
}

/** Why a policy refuses a flow. @param rule 0: no entry is about it */
export function ruleName(policy: number, direction: number, rule: number, names: NumberNames): string {
  if (rule !== 0) return names.rules.get(rule) ?? `rule ${rule}`;
  return (
    names.defaults.get(defaultKey(policy, direction)) ??
    `no rule of ${names.policies.get(policy) ?? `policy ${policy}`} allows it`
  );
}

/** The Log rules that matched. @param rule as in the event */
export function logName(rule: number, { logs }: NumberNames): string {
  return logs.get(rule) ?? `rule ${rule}`;
}

/** The meaning of a shortened policy key (bpf/shared/policy.h): "any", "TCP", "TCP 80", "TCP 80-87". */
export function protocolAndPorts(prefixLength: number, number: number, port: number): string {
  const portBits = prefixLength - 80;
  if (portBits < 0) return "any";
  if (portBits === 0) return protocol(number);
  const last = port + 2 ** (16 - portBits) - 1;
  return `${protocol(number)} ${last === port ? port : `${port}-${last}`}`;
}

/** "12 s", "5 min", "3 h": the elapsed time. */
export function age(nanoseconds: bigint): string {
  const seconds = Number(nanoseconds / 1_000_000_000n);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

/** "10.0.0.0/8, 192.168.0.0/16 and 7 more"; "none". From ranges in the notation of the map's keys. */
export function clientsText(ranges: readonly string[]): string {
  const named = ranges
    .map((text) => text.split(" ")[0])
    .sort()
    .slice(0, 3);
  return (
    (named.join(", ") || "none") + (ranges.length > named.length ? ` and ${ranges.length - named.length} more` : "")
  );
}

/** Names, some of which occur several times, as backends do by their weights: each once, with its number. */
export function withTimes(names: readonly string[]): string[] {
  return [...Map.groupBy(names, (name) => name)].map(([name, { length }]) =>
    length > 1 ? `${name}(x${length})` : name,
  );
}
