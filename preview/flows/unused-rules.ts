import { FlowJudge } from "../../model/flow/judge.ts";
import type { JudgedBy } from "../../model/flow/judged-by.ts";
import type { SeenFlow } from "../../model/flow/seen.ts";
import type { CompiledPolicy, PolicyRule } from "../../model/policy/compiled-policy.ts";
import { PolicyObjectCompiler } from "../../model/policy/policy-objects.ts";
import type { PeerMatch, PortMatch } from "../../model/policy/rules.ts";
import type { Labels } from "../../model/policy/selector.ts";
import { isServiceSource, serviceSource } from "../../model/policy/service-words.ts";
import { protocolName } from "../../model/protocol.ts";
import { finish } from "../../model/steps.ts";
import type { Impact } from "./document.ts";

const DIRECTIONS = ["ingress", "egress"] as const;
type Direction = (typeof DIRECTIONS)[number];

/** Rules of policies that allow none of these flows, or none since a time, with the last one. A rule that an earlier one hides counts as used
 * by the flows that it would allow, and one about nodes by those of any node, whose labels a log does not have. Left out is what it does not tell: rules
 * about Services that are not declared, and policies of hosts.
 * @param hosts labels of host endpoints
 * @param since milliseconds since 1970 */
export function unusedRules(
  by: JudgedBy,
  hosts: readonly Labels[],
  flows: readonly SeenFlow[],
  since: number,
): Impact["unused"] {
  const { policies } = finish(new PolicyObjectCompiler().compiling(by.policies));
  const told = new Set(by.services?.map(({ name }) => serviceSource(name)));
  const isUntold = ({ selectors = [] }: PeerMatch) =>
    selectors.some((text) => isServiceSource(text) && !told.has(text.split(",")[0] ?? text));
  const judge = new FlowJudge(by, flows);
  const last = new Map<string, number>();
  // The latest first: the first flow that uses a rule is its last use.
  for (const flow of flows.toSorted((a, b) => b.last - a.last)) {
    for (const direction of DIRECTIONS)
      for (const reason of judge.allowing(flow, direction, (one) => !last.has(one))) last.set(reason, flow.last);
  }
  return policies
    .filter((policy) => !isOfHosts(policy, hosts))
    .flatMap((policy) =>
      DIRECTIONS.flatMap((direction) =>
        allowed(policy, direction, isUntold).flatMap(([reason, texts]) => {
          const used = last.get(reason);
          if (used !== undefined && used >= since) return [];
          const place = /(?:ingress|egress) rule .*$/.exec(reason)?.[0] ?? direction;
          const rule = `${place}: ${texts.join(" or ")}`;
          return [
            { policy: policy.owner, rule, ...(used !== undefined && { lastUsed: new Date(used).toISOString() }) },
          ];
        }),
      ),
    );
}

function isOfHosts({ stage, applyOnForward, subject }: CompiledPolicy, hosts: readonly Labels[]): boolean {
  const selectsOne = hosts.some((labels) => subject.selects({ kind: "hostEndpoint", labels }));
  return stage !== "normal" || applyOnForward || selectsOne;
}

/** Rules that allow something, by their reasons, in words: one rule of an object may be compiled to several. */
function allowed(
  policy: CompiledPolicy,
  direction: Direction,
  isUntold: (peer: PeerMatch) => boolean,
): [string, string[]][] {
  const rules = (policy[direction] ?? []).filter(({ verdict, peers }) => verdict === "allow" && !peers?.some(isUntold));
  return [...Map.groupBy(rules, ({ reason }) => reason)].map(([reason, alike]) => [
    reason,
    [...new Set(alike.map((rule) => ruleText(rule, direction)))],
  ]);
}

function ruleText(
  { peers, ports, notPorts = [], sourcePorts, notSourcePorts = [] }: PolicyRule,
  direction: Direction,
): string {
  const who = peers ? peers.map(peerText).join(" or ") : "anybody";
  const where = ports ? listOf(ports) : "every port";
  return [
    `${direction === "ingress" ? "from" : "to"} ${who}, ${where}`,
    ...(notPorts.length > 0 ? [`except ${listOf(notPorts)}`] : []),
    ...(sourcePorts ? [`source ports ${listOf(sourcePorts)}`] : []),
    ...(notSourcePorts.length > 0 ? [`source ports other than ${listOf(notSourcePorts)}`] : []),
  ].join(", ");
}

function peerText({ selectors = [], notSelectors = [], cidrs = [], except = [] }: PeerMatch): string {
  const parts = [
    ...selectors,
    ...notSelectors.map((text) => `not ${text}`),
    ...(cidrs.length > 0 ? [cidrs.join(", ")] : []),
  ];
  return (parts.join(" and ") || "anybody") + (except.length > 0 ? ` except ${except.join(", ")}` : "");
}

const listOf = (ports: readonly PortMatch[]): string => ports.map(portText).join(", ");

function portText(match: PortMatch): string {
  const protocol = protocolName(match.protocol).toUpperCase();
  if ("name" in match) return `${protocol} ${match.name}`;
  if (match.first === 0 && match.last === 65_535) return protocol;
  return `${protocol} ${match.first}${match.last === match.first ? "" : `-${match.last}`}`;
}
