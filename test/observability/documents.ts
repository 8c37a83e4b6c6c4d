// The expressions of the dashboard and the alert rules in components/dataplane/monitoring.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { selectorsOf } from "./exposition.ts";

const folder = join(import.meta.dirname, "..", "..", "components", "dataplane", "monitoring");

export interface Expression {
  where: string;
  text: string;
}

interface Rules {
  groups: { name: string; rules: { alert: string; expr: string; for: string; annotations: { summary: string } }[] }[];
}

export const rules = (): Rules => JSON.parse(readFileSync(join(folder, "alerts.json"), "utf8")) as Rules;

export function expressions(): Expression[] {
  const dashboard = JSON.parse(readFileSync(join(folder, "dashboard.json"), "utf8")) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  return [
    ...dashboard.panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ where: `dashboard, ${title}`, text: expr })),
    ),
    ...rules().groups.flatMap((group) =>
      group.rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, text: expr })),
    ),
  ];
}

/** Labels and metrics that Prometheus itself adds. */
const ADDED = new Set(["instance", "job"]);
const OWN = new Set(["up"]);

/** Metrics and labels in the documents that a metrics page lacks. Labels are checked only if the metric has samples. */
export function missing(metrics: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return expressions().flatMap(({ where, text }) =>
    selectorsOf(text).flatMap(({ metric, labels }) => {
      if (OWN.has(metric)) return [];
      const known = metrics.get(metric);
      if (!known) return [`${where}: there is no metric ${metric}`];
      if (known.size === 0) return [];
      return labels
        .filter((label) => !ADDED.has(label) && !known.has(label))
        .map((label) => `${where}: ${metric} has no label ${label}`);
    }),
  );
}
