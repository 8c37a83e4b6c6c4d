import type { FlowEnd } from "../model/flow/record.ts";
import { templateLabels } from "../model/flow/workload.ts";
import type { LabelSelector } from "../model/objects/networking.ts";
import { selects } from "../model/policy/selector.ts";

type Pods = Extract<FlowEnd, { kind: "pods" }>;
type LabelSet = Readonly<Record<string, string>>;

/** The pods of a workload, as the log saw them. */
export interface Group {
  readonly namespace: string;
  readonly workload: string;
  /** What their templates had, over time. */
  readonly variants: readonly LabelSet[];
  /** Labels that all of them have. */
  readonly shared: LabelSet;
}

/** A selector of a group's pods, and other groups that it selects as well because no label tells them apart. */
export interface GroupSelector {
  readonly selector: LabelSelector;
  readonly alsoSelects: readonly string[];
}

/** The pods of a log by workload. Pods whose labels are not known are left out. */
export function groupsOf(ends: Iterable<FlowEnd>): ReadonlyMap<string, Group> {
  const variants = new Map<string, { end: Pods; labels: Map<string, LabelSet> }>();
  for (const end of ends) {
    if (end.kind !== "pods" || !end.labels) continue;
    const known = variants.get(groupKey(end)) ?? { end, labels: new Map() };
    const labels = templateLabels(end.labels);
    known.labels.set(JSON.stringify(Object.entries(labels).sort()), labels);
    variants.set(groupKey(end), known);
  }
  return new Map(
    [...variants].map(([key, { end, labels }]) => {
      const all = [...labels.values()];
      return [key, { namespace: end.namespace, workload: end.workload, variants: all, shared: sharedBy(all) }];
    }),
  );
}

export function groupKey({ namespace, workload }: Pick<Pods, "namespace" | "workload">): string {
  return `${namespace}/${workload}`;
}

function sharedBy([first = {}, ...others]: readonly LabelSet[]): LabelSet {
  return Object.fromEntries(Object.entries(first).filter(([key, value]) => others.every((one) => one[key] === value)));
}

/** Labels by which people name applications, the usual first. */
const USUAL = [
  "app.kubernetes.io/name",
  "app",
  "k8s-app",
  "name",
  "app.kubernetes.io/instance",
  "app.kubernetes.io/component",
  "component",
  "role",
];

/** The fewest labels that select a group and none of the others of its namespace; where labels do not suffice, also labels that it lacks. */
export function selectorOf(group: Group, all: Iterable<Group>): GroupSelector {
  const others = [...all].filter((one) => one !== group && one.namespace === group.namespace);
  const isExact = (selector: LabelSelector) =>
    !others.some(({ variants }) => variants.some((labels) => selects(selector, labels)));
  const labels = Object.entries(group.shared).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const single = labels.map((one) => selecting([one]));
  const pairs = labels.flatMap((one, index) => labels.slice(index + 1).map((other) => selecting([one, other])));
  const whole = selecting(labels);
  const found = [...single, ...pairs, whole].find(isExact);
  if (found && (found.matchLabels || others.length === 0)) return { selector: found, alsoSelects: [] };
  const narrowed = { ...whole, matchExpressions: lacking(group, others, whole) };
  const alsoSelects = others
    .filter(({ variants }) => variants.some((one) => selects(narrowed, one)))
    .map(({ workload }) => workload);
  return { selector: narrowed, alsoSelects };
}

function rank(key: string): number {
  const place = USUAL.indexOf(key);
  return place < 0 ? USUAL.length : place;
}

function selecting(labels: readonly (readonly [string, string])[]): LabelSelector {
  return { ...(labels.length > 0 && { matchLabels: Object.fromEntries(labels) }), matchExpressions: [] };
}

/** For each other pods that the labels select, too: a label that these have and the group never has. */
function lacking(group: Group, others: readonly Group[], whole: LabelSelector): LabelSelector["matchExpressions"] {
  const keys = new Set<string>();
  for (const labels of others.flatMap(({ variants }) => variants).filter((one) => selects(whole, one))) {
    const own = Object.keys(labels)
      .sort()
      .filter((key) => !group.variants.some((variant) => key in variant));
    const [key] = own;
    if (key !== undefined && !own.some((one) => keys.has(one))) keys.add(key);
  }
  return [...keys].sort().map((key) => ({ key, operator: "DoesNotExist", values: [] }));
}
