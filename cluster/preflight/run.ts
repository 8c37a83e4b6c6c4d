import type { PreflightPlan, PreflightResult } from "../../components/documents/preflight.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { clusterIdBefore, clusterIdOf, requireCluster } from "../identity.ts";
import { askNodes } from "./ask-nodes.ts";
import { examine } from "./examine.ts";
import { readFacts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { selected } from "./selection.ts";

/** The result of a preflight: one JSON document. */
export interface Preflight extends PreflightResult {
  findings: Finding[];
}

/** Checks a cluster before anything is changed. Creates one short-lived pod per node (unless turned off) and removes it. */
export async function preflight(plan: PreflightPlan, api: Api, say: (line: string) => void): Promise<Preflight> {
  const clusterId = await clusterIdOf(api);
  requireCluster(clusterId, plan.clusterId ?? clusterIdBefore());
  const facts = await readFacts(api, clusterId, plan.namespace);
  if (plan.probeNodes && plan.image) {
    say(`checking ${selected(facts.nodes, plan).length} nodes, with a short-lived pod on each`);
    facts.reports = await askNodes(api, facts, plan);
  }
  const findings = examine(facts, plan);
  const nodes = facts.nodes.map(({ metadata, status }) => ({
    name: metadata?.name ?? "",
    address: status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
  }));
  const refused = findings.filter(({ severity }) => severity === "refused").length;
  return { clusterId, version: facts.version, nodes, findings, refused };
}
