// Imports only point forward: which parts may import which, and which must be pure.
import { type Finding, type Import, importsOf, isTest, isTypeScript, laterImportsOf, type Sources } from "./source.ts";

/** The parts that a part may import, besides itself. `test` may import everything. */
const MAY_IMPORT: Record<string, string[]> = {
  model: [],
  "index.ts": ["stacks"],
  stacks: ["components"],
  components: ["model"],
  kubernetes: [],
  runner: ["components", "kubernetes", "preview", "model"],
  cluster: ["components", "agent", "kubernetes", "model"],
  probe: [],
  agent: ["components", "kubernetes", "model", "probe"],
  // The forms of results: what makes results and what shows them know them, and not each other.
  "report/results": ["model"],
  report: ["report/results", "model"],
  // What users write, read: also for who looks at it before there is a cluster.
  "verify/format": ["components", "model", "report/results"],
  verify: ["components", "agent", "kubernetes", "verify/format", "report/results", "model", "probe"],
  suggest: ["components", "model"],
  // A program: it puts the commands of several parts together, and nothing imports it.
  "verify/main.ts": ["verify", "components", "measure", "report", "report/results", "suggest"],
  // The command of the npm package: it loads the programs, and imports none.
  cli: ["verify"],
  preview: ["components", "verify/format", "report", "report/results", "model"],
  measure: ["components", "agent", "kubernetes", "lab", "verify", "verify/format", "report/results", "model", "probe"],
  lab: ["components", "agent", "kubernetes", "model"],
  tools: [],
};

export function checkParts(sources: Sources): Finding[] {
  return typescript(sources).flatMap((path) => {
    const part = partOf(path);
    const allowed = MAY_IMPORT[part];
    if (!allowed || isTest(path)) return [];
    return importsOf(path, sources)
      .map(({ target }) => target)
      .filter((target) => sources.has(target) && ![part, ...allowed].includes(partOf(target)))
      .map((target) => ({
        path,
        message: `imports ${target}, but ${part} may import only ${[part, ...allowed].join(", ")}`,
      }));
  });
}

const KERNEL = "agent/kernel/";

export function checkKernelBoundary(sources: Sources): Finding[] {
  return typescript(sources)
    .filter((path) => !path.startsWith(KERNEL))
    .filter((path) => importsOf(path, sources).some(({ target }) => target === "koffi"))
    .map((path) => ({ path, message: `imports koffi: only ${KERNEL} talks to libbpf` }));
}

/** Programs that run on any computer, and the package's components. koffi is compiled for each system, and its libbpf for Linux alone. */
const ANYWHERE = ["cli/main.ts", "cluster/main.ts", "index.ts", "runner/main.ts", "verify/main.ts"];

/** Commands that need no lab load nothing of the kernel's, not even in a part that they load when it is asked for. */
export function checkAnywhere(sources: Sources): Finding[] {
  return ANYWHERE.flatMap((path) => {
    const way = wayTo(({ target }) => target === "koffi", path, sources, withLater);
    return way ? [{ path, message: `must run on any computer, but reaches ${way.join(" → ")}` }] : [];
  });
}

const withLater = (path: string, sources: Sources): Import[] => [
  ...importsOf(path, sources),
  ...laterImportsOf(path, sources),
];

const CLIENT_LIBRARY = "@kubernetes/client-node";
const MAY_USE_LIBRARY = ["kubernetes/kubeconfig.ts", "kubernetes/exec.ts"];
/** Verbs for which the agent has no permission, and features that a privileged process must not contain: OpenID Connect, SOCKS, JSONPath. */
const NOT_THE_AGENTS = /^(@kubernetes\/client-node|kubernetes\/(apply|credential-plugin|delete|exec|kubeconfig)\.ts)$/;

/** Only two files use the large client library. The agent imports neither them nor the verbs that it must not use. */
export function checkKubernetesClient(sources: Sources): Finding[] {
  const files = typescript(sources).filter((path) => !isTest(path));
  const users = files
    .filter((path) => !MAY_USE_LIBRARY.includes(path))
    .filter((path) => importsOf(path, sources).some(({ target, typeOnly }) => target === CLIENT_LIBRARY && !typeOnly))
    .map((path) => ({ path, message: `imports ${CLIENT_LIBRARY}: only ${MAY_USE_LIBRARY.join(" and ")} do` }));
  const agents = files
    .filter((path) => path.startsWith("agent/"))
    .flatMap((path) => {
      const way = wayTo(({ target }) => NOT_THE_AGENTS.test(target), path, sources);
      return way ? [{ path, message: `the agent must not reach ${way.join(" → ")}` }] : [];
    });
  return [...users, ...agents];
}

const PURE = [
  "model/",
  "components/documents/",
  "components/rules/",
  "agent/compile/",
  "agent/reconcile/",
  "preview/reach/",
];
const WORLD = /^(koffi|@pulumi\/.*|(node:)?(fs|net|child_process|dgram|http|https|os|timers)(\/.*)?)$/;
const CLOCK = /\b(Date\.now|new Date\(\)|performance\.now|process\.hrtime|setTimeout|setInterval)\b/;

/** Exceptions that read a clock, with the reason. */
const CLOCKS: Record<string, string> = {
  "agent/reconcile/runner.ts": "names the real clock once, as the default of the one that is passed in",
};

/** Pure parts do no input or output, not even indirectly: the same input gives the same output, and a test is a table. */
export function checkPurity(sources: Sources): Finding[] {
  const pure = typescript(sources).filter((path) => PURE.some((folder) => path.startsWith(folder)) && !isTest(path));
  const clocks = pure
    .filter((path) => !(path in CLOCKS) && CLOCK.test(sources.get(path) ?? ""))
    .map((path) => ({ path, message: "reads a clock: pass the time in as an argument" }));
  const doors = pure.flatMap((path) => {
    const way = wayTo(({ target }) => WORLD.test(target), path, sources);
    return way ? [{ path, message: `must have no input or output, but reaches ${way.join(" → ")}` }] : [];
  });
  return [...clocks, ...doors];
}

/** The chain of run-time imports from a file to a given target. */
function wayTo(
  isSought: (found: Import) => boolean,
  path: string,
  sources: Sources,
  imports = importsOf,
  seen = new Set<string>(),
): string[] | undefined {
  seen.add(path);
  for (const found of imports(path, sources)) {
    const { target, typeOnly } = found;
    if (typeOnly) continue;
    if (isSought(found)) return [target];
    if (!sources.has(target) || seen.has(target)) continue;
    const further = wayTo(isSought, target, sources, imports, seen);
    if (further) return [target, ...further];
  }
  return undefined;
}

/** Stages, and files elsewhere, do not depend on each other at run time, directly or in a cycle. */
export function checkCircles(sources: Sources): Finding[] {
  const edges = new Map<string, Set<string>>();
  for (const path of typescript(sources).filter((path) => !isTest(path))) {
    for (const { target, typeOnly } of importsOf(path, sources)) {
      if (typeOnly || !sources.has(target) || stageOf(target) === stageOf(path)) continue;
      edges.set(stageOf(path), (edges.get(stageOf(path)) ?? new Set()).add(stageOf(target)));
    }
  }
  const circle = findCircle(edges);
  return circle ? [{ path: circle[0] as string, message: `imports form a cycle: ${circle.join(" → ")}` }] : [];
}

function findCircle(edges: Map<string, Set<string>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (node: string, way: string[]): string[] | undefined => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const circle = walk(next, [...way, node]);
      if (circle) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const circle = walk(node, []);
    if (circle) return circle;
  }
  return undefined;
}

const typescript = (sources: Sources): string[] => [...sources.keys()].filter(isTypeScript);

/** The longest entry of the table that contains a path; for other paths, the first folder. */
const partOf = (path: string): string =>
  Object.keys(MAY_IMPORT)
    .filter((part) => path === part || path.startsWith(`${part}/`))
    .sort((one, other) => other.length - one.length)[0] ??
  path.split("/")[0] ??
  "";

/** Parts whose folders are ordered stages. */
const STAGED = ["agent", "lab", "measure", "model", "preview", "report", "runner", "verify"];

/** `agent/compile` for files below it; the file itself if it is directly in a part, or in another part. */
function stageOf(path: string): string {
  const [part, folder, ...below] = path.split("/");
  return part && STAGED.includes(part) && below.length > 0 ? `${part}/${folder}` : path;
}
