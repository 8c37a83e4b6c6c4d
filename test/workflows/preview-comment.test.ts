// The comment of the workflow for pull requests, as its own script writes it: with `make`'s own options, from what the Pulumi CLI prints.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { buildPreview } from "../../preview/build.ts";
import { deployment, policy, service } from "../../preview/testing/objects.ts";
import { awsCluster, dataplane, object, twoNodesAndAClient } from "../../preview/testing/stack.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "comment-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Stands for `make -C FOLDER preview …` of a checkout: what the real Makefile would run, on the folder's program. */
const MAKE = `#!${process.execPath}
const { execFileSync, spawnSync } = require("node:child_process");
const [, folder, ...words] = process.argv.slice(2).filter((word) => word !== "--silent");
const { existsSync, readFileSync } = require("node:fs");
// The preview of the base is made by the test: a second process would prove nothing more.
if (existsSync(folder + "/preview.json") && words.includes("JSON=1")) {
  process.stdout.write(readFileSync(folder + "/preview.json", "utf8"));
  process.exit(0);
}
const real = process.env.REAL_MAKE;
const printed = execFileSync(real, ["-n", "--no-print-directory", "-C", "${root}", ...words], { encoding: "utf8" });
const line = printed.split("\\n").find((one) => one.startsWith("node dist/runner.js ")) ?? "false";
// The picture needs the bundle (JSX); the test of the pictures has it.
const command = line.replace(/--svg "[^"]*"/, "").replace("node dist/runner.js", '"$NODE" --no-warnings "${root}/runner/main.ts"');
const { status } = spawnSync("sh", ["-c", command + " --from " + folder + "/digest.json"], { stdio: "inherit", env: { ...process.env, NODE: process.execPath } });
process.exit(status ?? 1);
`;

const stack = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev";
const same = [...awsCluster(twoNodesAndAClient), ...dataplane(), object(deployment("nginx")), object(service("nginx"))];
const digest = (...more: (typeof same)[number][]) =>
  JSON.stringify({
    steps: [...same, ...more].map(({ urn, type, parent, inputs, references, provider }) => {
      const state = { urn, type, parent: parent || stack, inputs, propertyDependencies: references, provider };
      return { op: "same", urn, newState: state };
    }),
  });

const web = { kind: "pods", namespace: "default", workload: "web", labels: { app: "web" } };
const nginx = { kind: "pods", namespace: "default", workload: "nginx", labels: { app: "nginx" } };
const line = (from: object, port: number, connections: number, day: number) => ({
  ...{
    type: "flow",
    node: "node",
    at: "both",
    from,
    to: nginx,
    protocol: "TCP",
    port,
    verdict: "allowed",
    connections,
  },
  ...{ packetsRefused: 0, active: 0, packets: 0 },
  ...{ first: "2026-11-01T12:00:00.000Z", last: `2026-11-${day}T12:00:00.000Z` },
});
const onlyWeb = policy("only-web", "nginx", {
  ingress: [80, 81].map((port) => ({ from: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port }] })),
});

test("the comment says which connections of the flow log the branch would cut, and what nobody used for some days", () => {
  const steps = (parse(readFileSync(join(root, "examples/github/preview.yml"), "utf8")) as Workflow).jobs.preview;
  const script = steps.steps.find(({ name }) => name === "Preview both")?.run ?? "";
  for (const name of ["bin", "base", "head"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "bin", "make"), MAKE);
  chmodSync(join(folder, "bin", "make"), 0o755);
  const before = buildPreview({ project: "shop", stack: "dev", resources: same });
  writeFileSync(join(folder, "base", "preview.json"), JSON.stringify(before));
  writeFileSync(join(folder, "head", "digest.json"), digest(object(onlyWeb)));
  const log = [
    line(web, 80, 5, 28),
    line(web, 81, 1, 12),
    line({ kind: "network", cidr: "172.31.1.55/32" }, 80, 3, 28),
  ];
  writeFileSync(join(folder, "flows.jsonl"), log.map((one) => JSON.stringify(one)).join("\n"));
  const env = {
    ...{ ...process.env, ...steps.env, NO_COLOR: "1", PATH: `${join(folder, "bin")}:${process.env.PATH}` },
    REAL_MAKE: execFileSync("sh", ["-c", "command -v make"], { encoding: "utf8" }).trim(),
    ...{ FLOWS: join(folder, "flows.jsonl"), DAYS: "7", GITHUB_STEP_SUMMARY: join(folder, "summary") },
  };
  const ran = spawnSync("bash", ["-e", "-o", "pipefail", "-c", script], { cwd: folder, env, encoding: "utf8" });
  expect([ran.status, ran.stderr]).toEqual([0, expect.any(String)]);
  const comment = readFileSync(join(folder, "preview.md"), "utf8");
  expect(readFileSync(join(folder, "summary"), "utf8")).toBe(comment);
  expect(comment).toContain("would cut 3 connections of 1 flow:");
  expect(comment).toMatch(/172\.31\.1\.55 → default\/nginx:80: 3 connections .*NetworkPolicy default\/only-web/);
  expect(comment).toContain("keeps 6 connections of 2 flows");
  expect(comment).toMatch(/nobody used it in its last 7 days:\n.*only-web, ingress rule 2: .*TCP 81 \(last used/);
  expect(comment).toContain("client1 → nginx:80 was allowed, will be dropped");
  expect(comment.length).toBeLessThan(65_536);
});

interface Workflow {
  jobs: { preview: { env: Record<string, string>; steps: { name?: string; run?: string }[] } };
}
