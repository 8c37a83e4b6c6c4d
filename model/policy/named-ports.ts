import type { PolicyRule } from "./compiled-policy.ts";
import { hostPortName, portName } from "./judge.ts";
import type { PortMatch, Rule } from "./rules.ts";
import type { WorkloadSelector } from "./workload-selector.ts";

// A port name beside a selector is a port of the endpoints that the selector selects: an address that it selects by a network set has no
// named ports.

type PortList = "ports" | "notPorts" | "sourcePorts" | "notSourcePorts";

/** The lists whose names are those of the peer, and of the endpoint itself. */
export const NAMED_BY = {
  ingress: { peer: ["sourcePorts", "notSourcePorts"], own: ["ports", "notPorts"] },
  egress: { peer: ["ports", "notPorts"], own: ["sourcePorts", "notSourcePorts"] },
} as const satisfies Record<"ingress" | "egress", Record<"peer" | "own", readonly PortList[]>>;

export function hasNames(rule: PolicyRule, lists: readonly PortList[]): boolean {
  return lists.some((list) => rule[list]?.some((match) => "name" in match));
}

/** The rule for peers that have no port of any name. */
export function withoutNames(rule: PolicyRule, lists: readonly PortList[]): PolicyRule {
  const numeric = (matches: readonly PortMatch[]) => matches.filter((match) => !("name" in match));
  return { ...rule, ...Object.fromEntries(lists.flatMap((list) => (rule[list] ? [[list, numeric(rule[list])]] : []))) };
}

/** The text of a selector without members of network sets. */
export function textWithoutSets(text: string): string {
  return `${text}, not by network sets`;
}

/** The same selector without members of network sets. */
export function withoutSets(selector: WorkloadSelector): WorkloadSelector {
  return {
    ...selector,
    text: textWithoutSets(selector.text),
    selects: (who) => who.kind !== "networkSet" && selector.selects(who),
  };
}

/** Names in a list of ports, by `portName` and `hostPortName`. */
export function portNames(matches: Rule["ports"] = []): string[] {
  return matches.flatMap((match) => {
    if (!("name" in match)) return [];
    const { protocol, name, isAlsoOfHosts } = match;
    return [portName(protocol, name), ...(isAlsoOfHosts ? [hostPortName(protocol, name)] : [])];
  });
}
