import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Installation, installPackage } from "./installation.ts";

const example = join(import.meta.dirname, "..", "..", "examples", "typescript");

/** Compiling takes long: the declarations of the Kubernetes SDK are large. */
vi.setConfig({ testTimeout: 300_000 });

let project: Installation;
beforeAll(() => {
  project = installPackage();
  for (const file of ["index.ts", "tsconfig.json", "Pulumi.yaml", "package.json"]) {
    cpSync(join(example, file), join(project.folder, file));
  }
  writeFileSync(
    join(project.folder, "Pulumi.dev.yaml"),
    "config:\n  platform:kubeconfig: never read\n  platform:apiServerHost: 10.0.0.10\n  platform:imageRegistry: images.example.com/team\n",
  );
});
afterAll(() => project?.remove());

function node(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: project.folder,
    encoding: "utf8",
    timeout: 290_000,
  });
  return { status, output: stdout + stderr };
}

const compile = () => node("--max-old-space-size=4096", "node_modules/typescript/bin/tsc", "-p", ".");

test("the example compiles against the package's own types", () => {
  expect(compile()).toEqual({ status: 0, output: "" });
  // The types are there, and not just anything.
  appendFileSync(join(project.folder, "index.ts"), '\nnew Dataplane("wrong", { returnMode: "dsr" });\n');
  const { status, output } = compile();
  cpSync(join(example, "index.ts"), join(project.folder, "index.ts"));
  expect(status).not.toBe(0);
  expect(output).toContain(`Type '"dsr"' is not assignable to type 'ReturnMode`);
});

test("the package's runner previews the example, in an empty project and without the Pulumi CLI", () => {
  const runner = "node_modules/ebpf-dataplane/dist/runner.js";
  const { status, output } = node(runner, "preview", "--stack", "dev", "--no-cli");
  expect(output).toContain("DaemonSet ebpf-dataplane/ebpf-dataplane");
  expect(output).toContain("NetworkPolicy nginx");
  expect(status).toBe(0);
});

test("what is in the package is for its users", () => {
  const files = node(
    "-e",
    'console.log(require("node:fs").readdirSync("node_modules/ebpf-dataplane", { recursive: true }).join("\\n"))',
  );
  const strays = files.output
    .split("\n")
    .filter((path) => /\.test\.|golden|testing|(^|\/)\.|images\.json|^dist\/(agent\.js|bpf|cni)/.test(path));
  expect(strays).toEqual([]);
  // Installing inside the package's folder, as the CLI does for a plugin, builds nothing: its sources are not there.
  const { scripts } = JSON.parse(readFileSync(join(project.package, "package.json"), "utf8"));
  expect(spawnSync("sh", ["-c", scripts.prepare], { cwd: project.package }).status).toBe(0);
});
