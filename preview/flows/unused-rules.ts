import { FlowJudge, type JudgedBy } from "../../model/flow/judge.ts";
import type { SeenFlow } from "../../model/flow/seen.ts";
import type { NetworkPolicy } from "../../model/objects/networking.ts";
import { compileNetworkPolicy } from "../../model/policy/network-policy.ts";
import type { PeerMatch, PortMatch, Rule } from "../../model/policy/rules.ts";
import { protocolName } from "../../model/protocol.ts";
import type { Impact } from "./document.ts";

/** Rules of policies that allow none of these flows. */
export function unusedRules(by: JudgedBy, flows: readonly SeenFlow[]): Impact["unused"] {
  return by.policies.networkPolicies.flatMap((policy) => {
    const compiled = compileNetworkPolicy(policy);
    return (["ingress", "egress"] as const).flatMap((direction) =>
      (compiled[direction] ?? []).flatMap((rule, index) => {
        const alone = withOnly(policy, direction, index);
        const concerned = flows.filter((flow) => namespaceOf(flow, direction) === alone.metadata.namespace);
        const judge = new FlowJudge({ ...by, policies: { networkPolicies: [alone] } }, concerned);
        if (concerned.some((flow) => judge.judgeEnd(flow, direction)?.verdict === "allowed")) return [];
        return [
          {
            policy: compiled.owner,
            rule: `${direction} rule ${index + 1}: ${ruleText(rule, direction)}`,
          },
        ];
      }),
    );
  });
}

function namespaceOf({ from, to }: SeenFlow, direction: "ingress" | "egress"): string | undefined {
  const end = direction === "ingress" ? to : from;
  return end.kind === "pods" ? end.namespace : undefined;
}

function withOnly(policy: NetworkPolicy, direction: "ingress" | "egress", index: number): NetworkPolicy {
  const { ingress, egress, ...rest } = policy.spec;
  const metadata = { ...policy.metadata, namespace: policy.metadata.namespace ?? "default" };
  return {
    ...policy,
    metadata,
    spec:
      direction === "ingress"
        ? { ...rest, policyTypes: ["Ingress"], ingress: ingress.slice(index, index + 1) }
        : { ...rest, policyTypes: ["Egress"], ingress: [], egress: (egress ?? []).slice(index, index + 1) },
  };
}

function ruleText({ peers, ports }: Rule, direction: "ingress" | "egress"): string {
  const who = peers ? peers.map(peerText).join(" or ") : "anybody";
  const where = ports ? ports.map(portText).join(", ") : "every port";
  return `${direction === "ingress" ? "from" : "to"} ${who}, ${where}`;
}

function peerText({ selectors = [], cidrs = [], except = [] }: PeerMatch): string {
  const parts = [...selectors, ...(cidrs.length > 0 ? [cidrs.join(", ")] : [])];
  return parts.join(" and ") + (except.length > 0 ? ` except ${except.join(", ")}` : "");
}

function portText(match: PortMatch): string {
  const protocol = protocolName(match.protocol).toUpperCase();
  if ("name" in match) return `${protocol} ${match.name}`;
  if (match.first === 0 && match.last === 65_535) return protocol;
  return `${protocol} ${match.first}${match.last === match.first ? "" : `-${match.last}`}`;
}
