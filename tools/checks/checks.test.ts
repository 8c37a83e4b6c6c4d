import { describe, expect, test } from "vitest";
import {
  checkAnywhere,
  checkCircles,
  checkKernelBoundary,
  checkKubernetesClient,
  checkParts,
  checkPurity,
} from "./imports.ts";
import { checkNames } from "./names.ts";
import { checkSizes } from "./sizes.ts";
import { importsOf, type Sources } from "./source.ts";
import { checkTraces } from "./traces.ts";

const sources = (files: Record<string, string>): Sources => new Map(Object.entries(files));

test("importsOf() reads all forms of import, over several lines", () => {
  const files = sources({
    "agent/a.ts": `import "./b.ts";\nimport type { C } from "../components/c";\nimport {\n  d,\n  type E,\n} from "node:fs";\nexport * from "./b.ts";\n// import "./no.ts"\n`,
    "agent/b.ts": "",
    "components/c.ts": "",
  });
  expect(importsOf("agent/a.ts", files)).toEqual([
    { target: "agent/b.ts", typeOnly: false },
    { target: "components/c.ts", typeOnly: true },
    { target: "node:fs", typeOnly: false },
    { target: "agent/b.ts", typeOnly: false },
  ]);
});

describe("checkParts()", () => {
  const agent = { "agent/kernel/load.ts": "" };

  test.each([
    ["components/dataplane.ts", "../agent/kernel/load.ts"],
    ["tools/build.ts", "../agent/kernel/load.ts"],
  ])("refuses %s to import the agent", (path, name) => {
    const [finding] = checkParts(sources({ ...agent, [path]: `import { load } from "${name}";` }));
    expect(finding).toMatchObject({ path, message: expect.stringContaining("imports agent/kernel/load.ts") });
  });

  test.each([
    ["lab/bare.ts", "../agent/kernel/load.ts"],
    ["test/golden/story.ts", "../../agent/kernel/load.ts"],
    ["components/dataplane.test.ts", "../agent/kernel/load.ts"],
  ])("allows %s to import it", (path, name) => {
    expect(checkParts(sources({ ...agent, [path]: `import { load } from "${name}";` }))).toEqual([]);
  });
});

test("checkKernelBoundary() finds koffi outside agent/kernel", () => {
  const koffi = 'import koffi from "koffi";';
  expect(
    checkKernelBoundary(sources({ "agent/kernel/libbpf.ts": koffi, "lab/a.ts": koffi })).map(({ path }) => path),
  ).toEqual(["lab/a.ts"]);
});

test("checkAnywhere() finds a way to koffi, also by what is loaded later", () => {
  const files = {
    "verify/main.ts": 'const { a } = await import("./a.ts");',
    "verify/a.ts": 'import { b } from "../agent/b.ts";\nimport type { C } from "../agent/kernel/c.ts";',
    "agent/b.ts": "",
    "agent/kernel/c.ts": 'import koffi from "koffi";',
    "agent/main.ts": 'import { c } from "./kernel/c.ts";',
  };
  expect(checkAnywhere(sources(files))).toEqual([]);
  const loaded = { ...files, "agent/b.ts": 'export const later = () => import("./kernel/c.ts");' };
  expect(checkAnywhere(sources(loaded))).toEqual([
    {
      path: "verify/main.ts",
      message: "must run on any computer, but reaches verify/a.ts → agent/b.ts → agent/kernel/c.ts → koffi",
    },
  ]);
});

describe("checkKubernetesClient()", () => {
  const client = {
    "kubernetes/kubeconfig.ts": 'import { KubeConfig } from "@kubernetes/client-node";',
    "kubernetes/delete.ts": "",
  };

  test("allows the library only in its own files; types are allowed everywhere", () => {
    const files = sources({
      ...client,
      "cluster/a.ts": 'import { CoreV1Api } from "@kubernetes/client-node";',
      "verify/b.ts": 'import type { V1Pod } from "@kubernetes/client-node";',
    });
    expect(checkKubernetesClient(files).map(({ path }) => path)).toEqual(["cluster/a.ts"]);
  });

  test.each([
    ["../kubernetes/delete.ts", "kubernetes/delete.ts"],
    ["../kubernetes/kubeconfig.ts", "kubernetes/kubeconfig.ts"],
    ["../components/a.ts", "components/a.ts → kubernetes/delete.ts"],
  ])("keeps the agent from %s", (name, way) => {
    const files = sources({
      ...client,
      "agent/a.ts": `import "${name}";`,
      "components/a.ts": 'import "../kubernetes/delete.ts";',
    });
    expect(checkKubernetesClient(files)).toEqual([{ path: "agent/a.ts", message: `the agent must not reach ${way}` }]);
  });
});

describe("checkPurity()", () => {
  test("finds indirect paths to input and output", () => {
    const files = sources({
      "agent/compile/a.ts": 'import { b } from "./b.ts";',
      "agent/compile/b.ts": 'import { c } from "../kernel/c.ts";',
      "agent/kernel/c.ts": 'import { readFileSync } from "node:fs";',
    });
    expect(checkPurity(files).map(({ message }) => message)).toEqual([
      "must have no input or output, but reaches agent/compile/b.ts → agent/kernel/c.ts → node:fs",
      "must have no input or output, but reaches agent/kernel/c.ts → node:fs",
    ]);
  });

  test("ignores types and tests", () => {
    const files = sources({
      "agent/compile/a.ts": 'import type { Stats } from "node:fs";',
      "agent/compile/a.test.ts": 'import { readFileSync } from "node:fs";\nDate.now();',
    });
    expect(checkPurity(files)).toEqual([]);
  });

  test("finds a clock", () => {
    expect(checkPurity(sources({ "agent/reconcile/a.ts": "const now = Date.now();" }))).toHaveLength(1);
  });
});

test("checkCircles() names the cycle", () => {
  const files = sources({
    "agent/watch/a.ts": 'import "../compile/b.ts";',
    "agent/compile/b.ts": 'import "../reconcile/c.ts";',
    "agent/reconcile/c.ts": 'import "../watch/a.ts";',
  });
  expect(checkCircles(files)[0]?.message).toBe(
    "imports form a cycle: agent/watch → agent/compile → agent/reconcile → agent/watch",
  );
});

test.each([
  ["agent/a.ts", 250, 0],
  ["agent/a.ts", 251, 1],
  ["agent/a.test.ts", 400, 0],
  ["agent/layout.gen.ts", 5000, 0],
  ["bpf/net/parse.h", 301, 1],
  ["docs/long.md", 5000, 0],
])("checkSizes() of %s with %d lines finds %d", (path, lines, found) => {
  expect(checkSizes(sources({ [path]: "x\n".repeat(lines) }))).toHaveLength(found);
});

test.each([
  ["cd /wo" + "rk/main", 1],
  ["'/ro" + "ot/.npmrc'", 1],
  ["https://regis" + "try.npmjs.org/x", 1],
  ["registry.k8s.io/pause:3.10.1", 0],
  ["/proc/1/root/run", 0],
  ["docs/home/page.md", 0],
  ["/var/cache/ebpf-dataplane", 0],
])("checkTraces() of %j finds %d", (content, found) => {
  expect(checkTraces(sources({ "a.md": content }))).toHaveLength(found);
});

test("checkNames() refuses meaningless names", () => {
  expect(checkNames(sources({ "agent/utils.ts": "", "agent/kernel/load.ts": "" })).map(({ path }) => path)).toEqual([
    "agent/utils.ts",
  ]);
});

test("checkNames() gives each decision a number of its own", () => {
  const files = sources({
    "docs/decisions/0001-a.md": "",
    "docs/decisions/0002-b.md": "",
    "docs/decisions/0002-c.md": "",
  });
  expect(checkNames(files)).toEqual([
    { path: "docs/decisions/0002-c.md", message: "has the number of 0002-b.md: take the next one" },
  ]);
});

test("checkNames() requires one style", () => {
  const names = [
    "agent/list_watch.ts",
    "agent/list-watch.ts",
    "bpf/service/source_range.h",
    "test/host_port.check.yaml",
  ];
  const files = sources(Object.fromEntries(names.map((name) => [name, ""])));
  expect(checkNames(files).map(({ path }) => path)).toEqual(["agent/list_watch.ts", "test/host_port.check.yaml"]);
});
