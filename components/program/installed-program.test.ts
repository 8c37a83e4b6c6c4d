import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { INTERPRETER, packageRoot, programCommand } from "./installed-program.ts";

const root = packageRoot();
const folder = mkdtempSync(join(tmpdir(), "ebpf-dataplane-checkouts-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Declares what has commands, with an engine that remembers the inputs, and prints them. */
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const { ExistingCluster, KubeProxyRemoval, LocalCluster, SourceIpVerification } = require("./dist/components/index.js");
const registered = [];
const newResource = ({ type, name, inputs }) => {
  registered.push({ type, name, inputs });
  return { id: name, state: { ...inputs, stdout: '{"rows":[]}' } };
};
pulumi.runtime.setMocks({ newResource, call: () => ({}) }, "project", "stack").then(async () => {
  const cluster = new LocalCluster("local");
  new ExistingCluster("existing", { kubeconfig: "kind: Config", dataplane: { apiServer: { host: "10.0.0.1", port: 6443 }, imageRegistry: "r.example" } });
  new KubeProxyRemoval("removal", { kubeconfig: "kind: Config" });
  const clients = [{ name: "client1", address: "172.31.1.55" }];
  new SourceIpVerification("verification", { kubeconfig: "kind: Config", clients, entryAddress: "172.31.1.8", nodePort: 30604, podLabels: { app: "nginx" } });
  await pulumi.runtime.disconnect();
  console.log(JSON.stringify(registered, null, 1));
});`;

/** A checkout of this package somewhere, as far as its components need it. @returns what it declares */
function checkout(name: string): string {
  const place = join(folder, name);
  mkdirSync(join(place, "dist"), { recursive: true });
  for (const file of ["package.json", "components"]) cpSync(join(root, file), join(place, file), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
  buildSync({
    entryPoints: [join(root, "components", "index.ts")],
    outfile: join(place, "dist", "components", "index.js"),
    bundle: true,
    platform: "node",
    external: ["@pulumi/*"],
  });
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", PROGRAM], { cwd: place, encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout;
}

test("checkouts at two paths declare the same, and nothing of either path", () => {
  const [one, other] = [checkout("one"), checkout("another/place")];
  expect(JSON.parse(one).filter(({ type }: { type: string }) => type === "command:local:Command")).toHaveLength(5);
  expect(other).toBe(one);
  for (const path of [folder, root, homedir(), dirname(process.execPath)]) expect(one).not.toContain(`${path}/`);
  // Comments would be kept with every command.
  expect(INTERPRETER.join("\n")).not.toMatch(/^ *#/m);
});

/** A package whose programs say which of them runs, and with what. */
function fakePackage(place: string): string {
  const path = join(folder, place);
  mkdirSync(join(path, "dist"), { recursive: true });
  writeFileSync(join(path, "package.json"), '{\n  "name": "ebpf-dataplane"\n}\n');
  const program = `console.log(${JSON.stringify(path)}, JSON.stringify(process.argv.slice(2)), process.cwd())`;
  writeFileSync(join(path, "dist", "cluster.js"), program);
  return path;
}

/** Runs a command as Pulumi's command provider does, in the folder of a program. */
function run(cwd: string, environment: Record<string, string> = {}, words = ["preflight", "it's", "$HOME"]) {
  mkdirSync(cwd, { recursive: true });
  const [shell = "", ...options] = INTERPRETER;
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: join(folder, "home"), ...environment };
  return spawnSync(shell, [...options, programCommand("cluster", ...words)], { cwd, encoding: "utf8", env });
}
const said = (path: string, cwd: string) => `${path} ["preflight","it's","$HOME"] ${cwd}\n`;

test("a command runs the package that its project has, from the project's folder", () => {
  const app = join(folder, "app");
  const installed = fakePackage("app/node_modules/ebpf-dataplane");
  expect(run(app).stdout).toBe(said(installed, app));
  // A program in a folder of its own (main: in Pulumi.yaml), and a checkout that is itself the project.
  expect(run(join(app, "infra")).stdout).toBe(said(installed, join(app, "infra")));
  const itself = fakePackage("itself");
  expect(run(itself).stdout).toBe(said(itself, itself));
});

test("a command of a program in another language runs the package that Pulumi.yaml names, or the plugin that Pulumi has", () => {
  const [app, named] = [join(folder, "python"), fakePackage("package")];
  mkdirSync(app);
  writeFileSync(join(app, "Pulumi.yaml"), "name: a\npackages:\n  # where\n  ebpf-dataplane: ../package # here\n");
  expect(run(app).stdout).toBe(said(named, app));
  const plugin = fakePackage("home/.pulumi/plugins/resource-ebpf-dataplane-v0.1.0");
  expect(run(join(folder, "go")).stdout).toBe(said(plugin, join(folder, "go")));
});

test("a command that does not find the package says what to do; EBPF_DATAPLANE_PACKAGE decides", () => {
  const [lone, chosen] = [join(folder, "lone"), fakePackage("chosen")];
  const { status, stderr } = run(lone, { HOME: join(folder, "nobody") });
  expect(status).toBe(1);
  expect(stderr).toContain(`dist/cluster.js of the package ebpf-dataplane, which is not found from ${lone}.`);
  expect(stderr).toContain("set EBPF_DATAPLANE_PACKAGE to its folder");
  expect(run(lone, { EBPF_DATAPLANE_PACKAGE: chosen }).stdout).toBe(said(chosen, lone));
  const elsewhere = run(join(folder, "app"), { EBPF_DATAPLANE_PACKAGE: lone });
  expect(elsewhere.stderr).toContain(`not found from ${lone}.`);
});
