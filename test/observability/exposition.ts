// The names in a metrics page and in a PromQL expression, to compare them.
import { parser } from "@prometheus-io/lezer-promql";

/** Metric → the labels that its samples carry, from a page in Prometheus' text format. */
export function metricsOf(page: string): Map<string, Set<string>> {
  const metrics = new Map<string, Set<string>>();
  // An empty family (no label value exists now) is still listed with its type.
  for (const [, name = "", type] of page.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const names = type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    for (const one of names) metrics.set(one, new Set());
  }
  for (const [, name = "", labels = ""] of page.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
    const known = metrics.get(name) ?? new Set();
    for (const [, label = ""] of labels.matchAll(/(\w+)="/g)) known.add(label);
    metrics.set(name, known);
  }
  return metrics;
}

export interface Selector {
  metric: string;
  labels: string[];
}

/** The selectors of an expression. @throws Error if it is not valid PromQL */
export function selectorsOf(expression: string): Selector[] {
  // Grafana's variables replace durations.
  const text = expression.replaceAll("$__rate_interval", "5m");
  const found: Selector[] = [];
  parser.parse(text).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`"${expression}" is not valid PromQL at column ${node.from + 1}`);
      if (node.name === "VectorSelector") found.push(selector(text.slice(node.from, node.to)));
    },
  });
  return found;
}

function selector(text: string): Selector {
  const [, metric = "", matchers = ""] = /^([\w:]+)\s*(?:\{(.*)\})?$/s.exec(text) ?? [];
  return { metric, labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = ""]) => label) };
}
