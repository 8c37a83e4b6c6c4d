import type { V1Node, V1NodeSelectorRequirement, V1Taint } from "@kubernetes/client-node";
import { OPERATING_SYSTEM } from "../../components/dataplane/names.ts";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { type Finding, refused, warning } from "./finding.ts";

type Selection = Pick<PreflightPlan, "nodeSelector" | "nodeSelectorTerms" | "tolerations">;

/** Taints that come and go with a node's state, which agents tolerate always (the DaemonSet's controller says so in their pods). */
const STATE_TAINT =
  /^node\.kubernetes\.io\/(not-ready|unreachable|(disk|memory|pid)-pressure|unschedulable|network-unavailable)$/;

/** Nodes that get agents. */
export function selected(nodes: V1Node[], plan: Selection): V1Node[] {
  return nodes.filter((node) => leftOutBy(node, plan) === undefined);
}

/** Nodes that get none, each with the reason; a cluster of which no node gets one is refused. */
export function examineSelection(nodes: V1Node[], plan: Selection): Finding[] {
  const findings = nodes.flatMap((node) => {
    const reason = leftOutBy(node, plan);
    if (reason === undefined) return [];
    const next =
      "pods on it have no network of this dataplane: give it another one, or let it fit the Dataplane's arguments";
    return [warning("nodes left out", reason, next, [node.metadata?.name ?? ""])];
  });
  if (findings.length < nodes.length) return findings;
  const next = "compare nodeSelector, affinity and tolerations with kubectl get nodes --show-labels";
  return [refused("nodes left out", "no node of this cluster gets an agent", next), ...findings];
}

/** As the DaemonSet's controller decides. */
function leftOutBy(node: V1Node, { nodeSelector, nodeSelectorTerms, tolerations }: Selection): string | undefined {
  const labels = labelsOf(node);
  for (const [key, value] of [OPERATING_SYSTEM, ...Object.entries(nodeSelector)])
    if (labels[key] !== value)
      return `nodeSelector asks for ${key}=${value}, and it has ${key in labels ? `${key}=${labels[key]}` : "no such label"}`;
  const fits = nodeSelectorTerms?.some((term) => term.matchExpressions.every((one) => holds(one, labels)));
  if (fits === false) return "it fits no term of affinity";
  const taint = (node.spec?.taints ?? []).find((one) => keepsAway(one, tolerations));
  return taint && `its taint ${shown(taint)} is not in tolerations`;
}

/** A kubelet that has not reported its labels has said what it runs. */
function labelsOf({ metadata, status }: V1Node): Record<string, string> {
  const [key, linux] = OPERATING_SYSTEM;
  return { [key]: status?.nodeInfo?.operatingSystem || linux, ...metadata?.labels };
}

function holds({ key, operator, values = [] }: V1NodeSelectorRequirement, labels: Record<string, string>): boolean {
  const value = labels[key];
  if (operator === "Exists") return value !== undefined;
  if (operator === "DoesNotExist") return value === undefined;
  if (operator === "NotIn") return value === undefined || !values.includes(value);
  if (value === undefined) return false;
  if (operator === "In") return values.includes(value);
  const [label, limit] = [value, values[0] ?? ""].map(wholeOf);
  if (label === undefined || limit === undefined) return false;
  return operator === "Gt" ? label > limit : label < limit;
}

function wholeOf(text: string): bigint | undefined {
  return /^-?\d+$/.test(text) ? BigInt(text) : undefined;
}

function keepsAway(taint: V1Taint, tolerations: Selection["tolerations"]): boolean {
  if (taint.effect === "PreferNoSchedule" || STATE_TAINT.test(taint.key)) return false;
  if (tolerations === undefined) return false;
  return !tolerations.some(
    ({ key = taint.key, operator = "Equal", value = "", effect = taint.effect }) =>
      key === taint.key && effect === taint.effect && (operator === "Exists" || value === (taint.value ?? "")),
  );
}

const shown = ({ key, value, effect }: V1Taint): string => `${key}${value ? `=${value}` : ""}:${effect}`;
