import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMANDS } from "../../cli/commands.ts";
import { type Installation, installPackage } from "./installation.ts";

const checkout = join(import.meta.dirname, "..", "..");
const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string };
const example = join(checkout, "examples", "typescript");

let project: Installation;
beforeAll(async () => {
  project = await installPackage();
  for (const file of ["index.ts", "tsconfig.json", "Pulumi.yaml"]) {
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
    timeout: 840_000,
  });
  return { status, output: stdout + stderr };
}

const compile = () => node("node_modules/typescript/bin/tsc", "-p", ".");

test("the example compiles against the package's own types", () => {
  expect(compile()).toEqual({ status: 0, output: "" });
  // The types are checked, and are not `any`.
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

test("the package lists its content and its npm dependencies, and includes the licenses", () => {
  const home = join(project.folder, "node_modules", "ebpf-dataplane", "dist");
  const { components } = JSON.parse(readFileSync(join(home, "sbom.cdx.json"), "utf8")) as {
    components: { purl: string }[];
  };
  const names = components.map(({ purl }) => purl.replace(/(.)@[^@]*$/, "$1"));
  for (const name of ["pkg:npm/%40pulumi/kubernetes", "pkg:npm/zod", "pkg:golang/std", "pkg:deb/debian/libc6-dev"])
    expect(names).toContain(name);
  expect(names.filter((name) => /vitest|esbuild|biome/.test(name))).toEqual([]);
  expect(readFileSync(join(home, "licenses", "go.txt"), "utf8")).toContain("The Go Authors");
  expect(readFileSync(join(home, "licenses", "libc6-dev.txt"), "utf8")).toContain("Lesser General Public License");
});

test("the installed programs start, and have the commands that are handed over to them", () => {
  for (const program of ["runner", "verify", "lab", "cluster"]) {
    const { status, output } = node(`node_modules/ebpf-dataplane/dist/${program}.js`, "--help");
    expect({ program, status, output }).toMatchObject({ status: 0, output: expect.stringContaining("Usage:") });
    for (const { name } of COMMANDS.filter((one) => one.program === program))
      expect(output).toMatch(new RegExp(`^  ${name} `, "m"));
  }
});

test("the package's lab, which has nothing to make a cluster of, says where that is built", () => {
  const lab = spawnSync(process.execPath, ["node_modules/ebpf-dataplane/dist/lab.js", "up"], {
    ...{ cwd: project.folder, encoding: "utf8", timeout: 840_000 },
    input: JSON.stringify({
      name: `p${process.pid.toString(36)}`,
      kubernetesVersion: "v1.35.0",
      podSubnet: "10.244.0.0/16",
      serviceSubnet: "10.96.0.0/12",
      machines: [{ name: "master", role: "control-plane", address: "172.31.1.8" }],
    }),
  });
  expect(lab.stderr).toContain("there are no images for a local cluster: ");
  expect(lab.stderr).toContain(
    "next: run 'make build' in a checkout of ebpf-dataplane, and set EBPF_DATAPLANE_PACKAGE to its folder",
  );
  expect(lab.status).toBe(1);
});

test("npm links the command, which runs without the checkout and names itself in its help", () => {
  const command = join("node_modules", ".bin", "ebpf-dataplane");
  const run = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, words, {
      cwd: project.folder,
      encoding: "utf8",
      // Of this computer nothing but Node: no kubeconfig, no lab.
      env: { PATH: dirname(process.execPath), HOME: project.folder },
      timeout: 840_000,
    });
    return { status, output: stdout + stderr };
  };
  expect(run("--version")).toEqual({ status: 0, output: `${version}\n` });
  expect(run("inspect", "--help").output).toContain("Usage: ebpf-dataplane inspect [options] <view>");
  for (const name of ["status", "preflight", "preview"])
    expect(run(name, "--jsno")).toMatchObject({ status: 2, output: expect.stringContaining("Did you mean --json?") });
  for (const name of ["status", "preflight"]) {
    const { status, output } = run("--kubeconfig", "missing.yaml", name);
    expect(output).toContain("kubeconfig missing.yaml: the kubeconfig cannot be read: ENOENT");
    expect(output).toMatch(/next: provide the path of a kubeconfig that this user can read/i);
    expect(output).not.toMatch(/^\s+at /m);
    expect(status).toBe(2);
  }
});

test("npm installed the runtime dependencies, and no development dependencies", () => {
  const installed = readdirSync(join(project.folder, "node_modules"));
  expect(installed).toContain("typescript");
  expect(installed.filter((name) => ["esbuild", "vitest", "koffi", "playwright-core"].includes(name))).toEqual([]);
  expect(readdirSync(join(project.folder, "node_modules", "@pulumi")).sort()).toEqual([
    "command",
    "kubernetes",
    "pulumi",
  ]);
  // The CLI installs these plugins when the package is a component plugin.
  const manifest = JSON.parse(readFileSync(join(project.package, "package.json"), "utf8"));
  expect(manifest.devDependencies ?? manifest.scripts).toBeUndefined();
});

test("the package contains only files for its users", () => {
  const files = readdirSync(project.package, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(project.package, join(entry.parentPath, entry.name)));
  const strays = files.filter((path) =>
    /\.test\.|golden|testing|(^|\/)\.|images\.json|Pulumi\.\w+\.yaml|^dist\/(agent\.js|bpf|cni|package)/.test(path),
  );
  expect(strays).toEqual([]);
  for (const needed of ["LICENSE", "CHANGELOG.md", "PulumiPlugin.yaml", "dist/THIRD-PARTY-LICENSES"]) {
    expect(files).toContain(needed);
  }
  // No paths of the computer that it was packed on.
  const text = files.filter((path) => path !== "dist/load");
  expect(text.filter((path) => readFileSync(join(project.package, path), "utf8").includes(checkout))).toEqual([]);
  const megabytes = files.reduce((sum, path) => sum + statSync(join(project.package, path)).size, 0) / 1e6;
  expect(megabytes).toBeLessThan(40);
});
