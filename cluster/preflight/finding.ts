import type { PreflightFinding } from "../../components/documents/preflight.ts";

/** Fine; worth knowing in advance; or a reason to change nothing. */
export type Severity = "ok" | "warning" | "refused";

/** The result of one check. */
export interface Finding extends PreflightFinding {
  severity: Severity;
}

export const ok = (check: string, found: string, nodes: string[] = []): Finding => ({
  severity: "ok",
  check,
  nodes,
  found,
});
export const warning = (check: string, found: string, next: string, nodes: string[] = []): Finding => ({
  severity: "warning",
  check,
  nodes,
  found,
  next,
});
export const refused = (check: string, found: string, next: string, nodes: string[] = []): Finding => ({
  severity: "refused",
  check,
  nodes,
  found,
  next,
});

const ORDER: Severity[] = ["refused", "warning", "ok"];

/** Merges equal findings of several nodes; findings that need action come first. */
export function gathered(findings: Finding[]): Finding[] {
  const groups = new Map<string, Finding>();
  for (const finding of findings) {
    const { severity, check, found, next } = finding;
    const key = JSON.stringify([severity, check, found, next, finding.nodes.length > 0]);
    const group = groups.get(key);
    if (group) group.nodes.push(...finding.nodes);
    else groups.set(key, { ...finding, nodes: [...finding.nodes] });
  }
  return [...groups.values()].sort((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
}
