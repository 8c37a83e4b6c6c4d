import { costInWords } from "../cost.ts";
import type { Preview } from "../document.ts";
import { changeInWords } from "../reach/changes.ts";
import { pathLines, pathTitle } from "./path.ts";

/** A section of a preview; omitted if it has no lines. */
export interface Section {
  title: string;
  lines: string[];
  /** A drawing with aligned columns. */
  drawn?: boolean;
}

/** The tree of resources, with the planned changes if known. */
export function treeLines({ resources }: Preview): string[] {
  const marks = { create: "+ ", update: "~ ", replace: "± ", delete: "- ", same: "  " };
  const known = resources.some(({ change }) => change !== undefined);
  const open: boolean[] = [];
  return resources.map(({ title, depth, change }, index) => {
    const next = resources.slice(index + 1).find((other) => other.depth <= depth);
    const last = next === undefined || next.depth < depth;
    const indent = open.slice(0, depth).map((more) => (more ? "│  " : "   "));
    open[depth] = !last;
    return `${known ? (change ? marks[change] : "  ") : ""}${indent.join("")}${last ? "└─ " : "├─ "}${title}`;
  });
}

/** Paths of request and reply. */
export function pathOutline({ ways }: Preview): Section {
  const lines = ways.flatMap((path) => [pathTitle(path), "", ...pathLines(path).map(indented), ""]);
  return { title: "Where packets go", lines: lines.slice(0, -1), drawn: true };
}

export function networkOutline({ machines, subnets, securityGroups }: Preview): Section {
  const shown = (names: string[]) =>
    names.length > MANY ? `${names.slice(0, MANY).join(", ")} and ${names.length - MANY} more` : names.join(", ");
  const words = { controlPlane: "control plane", worker: "workers", client: "clients" };
  const roles = (["controlPlane", "worker", "client"] as const).flatMap((role) => {
    const own = machines.filter((machine) => machine.role === role);
    if (own.length === 0) return [];
    return [`${words[role]}: ${shown(own.map(({ name, address }) => (address ? `${name} ${address}` : name)))}`];
  });
  const nets = subnets.map(
    ({ cidr, zone, machines: names }) => `subnet ${cidr}${zone ? ` in ${zone}` : ""}: ${shown(names) || "no machine"}`,
  );
  const groups = securityGroups.map(({ name, admits }) => `${name} admits ${admits.join("; ") || "nothing"}`);
  return { title: "Machines and networks", lines: [...roles, ...nets, ...groups] };
}

/** More machines than this are counted. */
const MANY = 8;

export function costOutline({ cost }: Preview): Section {
  const byWhat = Map.groupBy(cost, ({ what }) => what);
  return {
    title: "Cost",
    lines: [...byWhat].map(([what, items]) => `${what}: ${items.map(costInWords).join("; ")}`),
  };
}

/** Sources by verdict, a block for each port; ports with equal blocks share one. */
export function reachOutline({ reach }: Preview): Section {
  const told = reach.filter(({ verdict }) => verdict !== "no way in");
  const closed = new Set(reach.filter(({ verdict }) => verdict === "no way in").map(({ to }) => to));
  const blocks = [...Map.groupBy(told, ({ to }) => to)].map(([to, rows]) => {
    const groups = Map.groupBy(rows, ({ verdict }) => verdict);
    const policies = [...new Set(rows.flatMap((row) => row.policies))];
    const by = policies.length > 0 ? ` (${policies.join(", ")})` : "";
    const all = closed.has(to) ? "all sources in the cluster" : "all sources";
    const verdicts = [...groups].map(
      ([verdict, group]) => `  ${verdict}: ${groups.size === 1 && group.length > 1 ? all : names(group)}`,
    );
    return { to, rest: [by, ...verdicts].join("\n") };
  });
  const merged = Map.groupBy(blocks, ({ rest }) => rest);
  const lines = [...merged].flatMap(([rest, ports]) => {
    const [by = "", ...verdicts] = rest.split("\n");
    return [`to ${ports.map(({ to }) => to).join(", ")}${by}`, ...verdicts];
  });
  return { title: "Who reaches whom", lines };
}

const names = (rows: { from: string }[]): string => rows.map(({ from }) => from).join(", ");

/** Differences from the compared preview. */
export function againstOutline({ against }: Preview): Section {
  if (!against) return { title: "", lines: [] };
  const lines = [
    ...against.reach.map((change) => {
      const by = change.policies.length > 0 ? ` (${change.policies.join(", ")})` : "";
      return `${changeInWords(change)}${by}`;
    }),
    ...against.cost.map(({ item, before, after }) => `${item}: ${before}, will be ${after}`),
  ];
  const title = `Against ${against.what}`;
  return { title, lines: lines.length > 0 ? lines : ["no change in reachability or cost"] };
}

export function expectationsOutline({ expectations: { contradictions, met, open } }: Preview): Section {
  const title = "Expectations of the verification";
  const lines = contradictions.map(({ check, from, to, expected, declared, policies }) => {
    const by = policies.length > 0 ? ` (${policies.join(", ")})` : "";
    return `check "${check}" expects ${from} → ${to} to be ${expected}; as declared it is ${declared}${by}`;
  });
  if (contradictions.length + met + open === 0) return { title, lines: [] };
  const rest = open > 0 ? `, ${open} can be decided only on the running cluster` : "";
  return { title, lines: [...lines, `${met} expectations agree with the declaration${rest}`] };
}

export function warningsOutline({ warnings }: Preview): Section {
  const lines = warnings.flatMap(({ about, what, next }) => [`${about}: ${what}`, `  next: ${next}`]);
  return { title: "Warnings", lines };
}

export const indented = (line: string): string => (line === "" ? "" : `  ${line}`);
