import { readFileSync } from "node:fs";

/** The part of ginkgo's JSON report (types.Report) that says how specs ended. */
interface Suite {
  SpecReports: {
    LeafNodeType: string;
    ContainerHierarchyTexts: string[] | null;
    LeafNodeText: string;
    State: string;
    RunTime: number;
    Failure?: { Message: string };
  }[];
}

/** How each spec that was selected ended: a line for each that failed or skipped itself, with its reason, and the counts. */
export function summaryOf(file: string): { text: string } {
  const [suite] = JSON.parse(readFileSync(file, "utf8")) as [Suite];
  const specs = suite.SpecReports.filter(({ LeafNodeType }) => LeafNodeType === "It").map((spec) => ({
    name: [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(" "),
    state: spec.State,
    reason: spec.Failure?.Message.split("\n")[0] ?? "",
  }));
  // A spec that was not selected is skipped without a reason.
  const run = specs.filter(({ state, reason }) => state !== "skipped" || reason !== "");
  const states = Map.groupBy(run, ({ state }) => state);
  const lines = run
    .filter(({ state }) => state !== "passed")
    .map(({ name, state, reason }) => `${state}: ${name}: ${reason}`);
  const counts = [...states].map(([state, those]) => `${those.length} ${state}`).join(", ");
  return { text: `${[...lines.sort(), `${run.length} specs: ${counts}`].join("\n")}\n` };
}
