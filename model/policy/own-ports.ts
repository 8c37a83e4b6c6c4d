import type { CompiledPolicy } from "./compiled-policy.ts";
import { portNumber } from "./judge.ts";
import { portNames } from "./named-ports.ts";
import type { PortMatch, Rule } from "./rules.ts";

/** Names of ports in a policy that are those of the pod it selects: destinations of ingress, sources of egress. */
export function ownPortNames({ ingress = [], egress = [] }: CompiledPolicy): ReadonlySet<string> {
  return new Set([
    ...ingress.flatMap(({ ports, notPorts }) => [...portNames(ports), ...portNames(notPorts)]),
    ...egress.flatMap(({ sourcePorts, notSourcePorts }) => [...portNames(sourcePorts), ...portNames(notSourcePorts)]),
  ]);
}

/** The policy with the numbers of the pod's own ports; a name that the pod has no port of matches nothing. */
export function withOwnPorts(policy: CompiledPolicy, known: ReadonlyMap<string, number>): CompiledPolicy {
  const { ingress, egress } = policy;
  return {
    ...policy,
    ...(ingress && { ingress: ingress.map((rule) => resolved(rule, ["ports", "notPorts"], known)) }),
    ...(egress && { egress: egress.map((rule) => resolved(rule, ["sourcePorts", "notSourcePorts"], known)) }),
  };
}

type PortList = "ports" | "notPorts" | "sourcePorts" | "notSourcePorts";

function resolved(rule: Rule, lists: readonly PortList[], known: ReadonlyMap<string, number>): Rule {
  const named = lists.filter((list) => rule[list]?.some((match) => "name" in match));
  if (named.length === 0) return rule;
  const numeric = (match: PortMatch): PortMatch[] => {
    if (!("name" in match)) return [match];
    const number = portNumber(match, known);
    return number === undefined ? [] : [{ protocol: match.protocol, first: number, last: number }];
  };
  return { ...rule, ...Object.fromEntries(named.map((list) => [list, rule[list]?.flatMap(numeric)])) };
}
