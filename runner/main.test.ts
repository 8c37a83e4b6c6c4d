import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { type Answer, fakeApiServer, type Received } from "../kubernetes/testing/fake-api-server.ts";

const root = join(import.meta.dirname, "..");
let folder = "";
let close = () => {};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "program-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: app\nruntime: nodejs\n");
});
afterEach(() => {
  close();
  rmSync(folder, { recursive: true });
});

const PROGRAM = `
import * as command from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config();
class App extends pulumi.ComponentResource {
  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("app:index:App", name, {}, opts);
    const create = config.get("command") ?? "echo made by $(cat)";
    const made = new command.local.Command("make", { create, stdin: "hand", delete: "touch gone" }, { parent: this });
    new k8s.core.v1.ConfigMap("map", { metadata: { name: "map" }, data: { made: made.stdout } }, { parent: this });
  }
}
const provider = new k8s.Provider("cluster", { kubeconfig: config.requireSecret("kubeconfig") });
new App("app", { provider });
export const mode = config.get("mode");
export const password = pulumi.secret("hunter2");
`;

async function cluster(answer: (request: Received) => Answer = ({ body }) => [200, body]) {
  const server = await fakeApiServer(answer);
  close = server.close;
  writeFileSync(join(folder, "index.ts"), PROGRAM);
  const settings = { config: { kubeconfig: server.kubeconfig, mode: "dsr" } };
  writeFileSync(join(folder, "Pulumi.dev.yaml"), JSON.stringify(settings));
  return server.received;
}

/** The runner started last. */
let running: ChildProcess | undefined;

async function runner(verb: string, ...options: string[]) {
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env.PATH}`,
    EBPF_DATAPLANE_CACHE: join(folder, "cache"),
    PULUMI_BACKEND_URL: "",
    NO_COLOR: "1",
  };
  const words = ["--no-warnings", join(root, "runner", "main.ts"), verb, "--stack", "dev", "--cwd", folder, ...options];
  const child = spawn(process.execPath, words, { env, stdio: ["ignore", "pipe", "pipe"] });
  running = child;
  const code = new Promise((resolve) => child.on("close", resolve));
  return { stdout: await text(child.stdout), stderr: await text(child.stderr), code: await code };
}

test("up creates the program's resources in order, and prints outputs without secrets", async () => {
  const received = await cluster();
  const { stdout, stderr, code } = await runner("up", "--config", "mode=tunnel");
  expect(stderr).toMatch(/^Stack dev, deployed by this package's runner: this is not `pulumi up`/);
  expect(stdout).toBe("mode: tunnel\npassword: [secret]\n");
  expect(received.map(({ body }) => body?.data)).toEqual([{ made: "made by hand" }]);
  expect(code).toBe(0);
});

test("up --quiet prints only the outputs, --json prints them as JSON, and --settings are several settings", async () => {
  await cluster();
  const { stdout, stderr, code } = await runner("up", "--quiet", "--json", "--settings", "mode=by two words x=1");
  expect(JSON.parse(stdout)).toEqual({ mode: "by two words", password: "[secret]" });
  expect(stderr).toBe("");
  expect(code).toBe(0);
});

test("up --quiet reports why it failed, with the command's output", async () => {
  await cluster();
  const { stderr, code } = await runner("up", "--quiet", "--config", "command=echo no disk >&2; exit 3");
  expect(stderr).toMatch(/^up of stack dev failed: Command make: its command ended with exit code 3\nno disk\n/);
  expect(code).toBe(1);
});

test("an interrupted up waits until the running command has cleaned up", async () => {
  await cluster();
  const command = `trap 'sleep 0.2; touch ${folder}/tidied; exit 1' TERM; touch ${folder}/started; while :; do sleep 0.1; done`;
  const ended = runner("up", "--config", `command=${command}`);
  await expect.poll(() => existsSync(join(folder, "started")), { interval: 50 }).toBe(true);
  running?.kill("SIGTERM");
  const { stderr, code } = await ended;
  expect(existsSync(join(folder, "tidied"))).toBe(true);
  expect(stderr).toContain("SIGTERM: waiting for running operations to end");
  expect(stderr).toContain("up of stack dev failed: stopped by SIGTERM");
  expect(code).toBe(130);
});

test("a second run with the same name ends at once, and says who is at work and where; another name, or the end of the first, lets it run", async () => {
  await cluster();
  const name = `lab t${process.pid}`;
  const command = `touch ${folder}/started; while [ ! -e ${folder}/enough ]; do sleep 0.1; done`;
  const first = runner("up", "--exclusive", name, "--config", `command=${command}`);
  await expect.poll(() => existsSync(join(folder, "started")), { interval: 50 }).toBe(true);
  const pid = running?.pid;
  for (const verb of ["up", "down"]) {
    const { stderr, code } = await runner(verb, "--exclusive", name);
    expect(stderr).toBe(
      `${verb} of stack dev failed: 'up in ${folder}' (process ${pid}) is using the ${name} already\n` +
        "Next: wait until it ends, or end it, then run the same command again.\n",
    );
    expect(code).toBe(1);
  }
  expect((await runner("up", "--exclusive", `${name}b`)).code).toBe(0);
  writeFileSync(join(folder, "enough"), "");
  expect((await first).code).toBe(0);
  expect((await runner("up", "--exclusive", name)).code).toBe(0);
});

test("up stops at the first resource that fails, names it, and shows no stack trace", async () => {
  const received = await cluster();
  const { stderr, code } = await runner("up", "--config", "command=echo no disk >&2; exit 3");
  expect(stderr).toContain("up of stack dev failed: Command make: its command ended with exit code 3");
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(received).toEqual([]);
  expect(code).toBe(1);
});

test("up reports the API server's rejection, with the object's name", async () => {
  await cluster(() => [422, { message: "data: too long" }]);
  const { stderr, code } = await runner("up");
  expect(stderr).toContain("up of stack dev failed: ConfigMap map: data: too long");
  expect(code).toBe(1);
});

test("a mistake in the program is one message", async () => {
  writeFileSync(
    join(folder, "index.ts"),
    'import { RunError } from "@pulumi/pulumi"; throw new RunError("pods: wrong");',
  );
  const { stderr, code } = await runner("up");
  expect(stderr).toContain("up of stack dev failed: pods: wrong");
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(2);
});

const COMPONENTS = JSON.stringify(join(root, "components", "index.ts"));
test.each([
  ["throws", 'const one = 1;\n\nthrow new Error("no luck");', "no luck", "index.ts:3:7", 1],
  ["reads what is not there", "const one: any = undefined;\none.two();", "reading 'two'", "index.ts:2:5", 1],
  ["is no TypeScript", "const one = 1;\nconst const = 2;", "the program cannot be compiled: TS", "index.ts:2:", 2],
  ["imports what is not there", 'import "./other";', "Cannot find module './other'", "index.ts:1:1", 1],
  [
    "misspells an input",
    `import { NetworkPolicy } from ${COMPONENTS};\nconst args: any = { podSelectors: {} };\nnew NetworkPolicy("p", args);`,
    'unknown key "podSelectors"',
    "index.ts:3:1",
    2,
  ],
  [
    "gives a wrong value that is known later",
    `import * as pulumi from "@pulumi/pulumi";\nimport { NetworkPolicy } from ${COMPONENTS};\nconst cidr = pulumi.output("10.0.0.1/8");\nnew NetworkPolicy("p", { name: "p", podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr } }] }] });`,
    "10.0.0.1/8",
    "index.ts:4:1",
    2,
  ],
])("a program that %s is told where", async (_, text, message, place, status) => {
  writeFileSync(join(folder, "index.ts"), text);
  const { stderr, code } = await runner("preview");
  expect(stderr).toContain(message);
  expect(stderr).toMatch(new RegExp(`^Where: (\\S*/)?${place}`, "m"));
  expect(stderr).not.toMatch(/\n\s+at |Require stack/);
  expect(code).toBe(status);
});

test("a resource that is refused is told where it is declared, also in a component", async () => {
  await cluster(() => [422, { message: "data: too long" }]);
  const { stderr } = await runner("up");
  const [line] = PROGRAM.split("\n").flatMap((text, index) => (text.includes("ConfigMap(") ? [index + 1] : []));
  expect(stderr).toMatch(new RegExp(`^Where: \\S*index.ts:${line}:`, "m"));
});

test("preview shows the tree and changes nothing", async () => {
  const received = await cluster();
  const { stdout, code } = await runner("preview");
  expect(stdout).toBe("├─ kubernetes cluster\n└─ App app\n   ├─ Command make\n   └─ ConfigMap map\n");
  expect(received).toEqual([]);
  expect(code).toBe(0);
});

test("the next preview is compared with the last up, until down", async () => {
  await cluster(({ method, body }) => (method === "DELETE" ? [404, { message: "not found" }] : [200, body]));
  await runner("up");
  const deployed = join(folder, "out", "deployed-dev.json");
  expect(JSON.parse(readFileSync(deployed, "utf8"))).toMatchObject({ project: "app", stack: "dev", reach: [] });
  expect(readFileSync(deployed, "utf8")).not.toContain("hunter2");
  const { stdout } = await runner("preview");
  expect(stdout).toContain("Against the last `up`\n  no change in reachability or cost");
  await runner("down");
  expect(existsSync(deployed)).toBe(false);
});

test("an unusable file for a comparison is reported in one sentence", async () => {
  await cluster();
  const file = join(folder, "Pulumi.yaml");
  const { stderr, code } = await runner("preview", "--against", file);
  expect(stderr).toContain(`preview of stack dev failed: ${file} cannot be read: it is not valid JSON`);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(2);
});

test("down removes objects and runs the deletion of commands", async () => {
  let gone = false;
  const received = await cluster(({ method }) => {
    if (gone) return [404, { message: "not found" }];
    gone = method === "DELETE";
    return [200, {}];
  });
  const { code } = await runner("down");
  const object = "/api/v1/namespaces/default/configmaps/map";
  expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
    `GET ${object}`,
    `DELETE ${object}`,
    `GET ${object}`,
  ]);
  expect(existsSync(join(folder, "gone"))).toBe(true);
  expect(code).toBe(0);
});

test.each([
  ["protect: true", 1, "down of stack dev failed: protected: ConfigMap map; nothing was removed"],
  ["retainOnDelete: true", 0, "ConfigMap map stays (retainOnDelete)"],
])("down of an object with %s", async (option, status, words) => {
  const received = await cluster();
  const program = PROGRAM.replace("made.stdout } }, {", `made.stdout } }, { ${option},`);
  writeFileSync(join(folder, "index.ts"), program);
  const { stderr, code } = await runner("down");
  expect(stderr).toContain(words);
  expect(received).toEqual([]);
  expect(existsSync(join(folder, "gone"))).toBe(status === 0);
  expect(code).toBe(status);
});

test("a preview by the Pulumi CLI has the same format, and is compared with the stack's state", async () => {
  const urn = "urn:pulumi:dev::app::kubernetes:core/v1:ConfigMap::map";
  const state = { urn, type: "kubernetes:core/v1:ConfigMap", inputs: { metadata: { name: "map" } } };
  const digest = JSON.stringify({ steps: [{ op: "same", urn, oldState: state, newState: state }] });
  writeFileSync(join(folder, "pulumi"), `#!/bin/sh\ntest "$1" = stack || echo '${digest}'\n`);
  chmodSync(join(folder, "pulumi"), 0o755);
  const { stdout, stderr, code } = await runner("preview");
  expect(stdout).toMatch(/^ {2}└─ ConfigMap map\n\nAgainst the stack as it is deployed\n/);
  expect(stderr).toContain("pulumi preview --json --show-sames --stack dev");
  expect(code).toBe(0);
  const file = join(folder, "digest.json");
  writeFileSync(file, digest);
  expect((await runner("preview", "--from", file)).stdout).toBe(stdout);
});

test("errors of a preview by the Pulumi CLI are passed on", async () => {
  const digest = JSON.stringify({ steps: [], diagnostics: [{ message: "no such subnet\n", severity: "error" }] });
  writeFileSync(
    join(folder, "pulumi"),
    `#!/bin/sh\ntest "$1" = stack && exit\necho '${digest.replace("\\n", "\\\\n")}'\nexit 255\n`,
  );
  chmodSync(join(folder, "pulumi"), 0o755);
  const { stderr, code } = await runner("preview");
  expect(stderr).toContain("no such subnet\n");
  expect(stderr).toContain("pulumi preview ended with 255");
  expect(code).toBe(1);
});

/** A fake Pulumi CLI that records its arguments and settings; a new stack gets a salt, as from the real one. */
function recordingCli(): () => string[] {
  const calls = join(folder, "calls");
  const script = `echo "$* $PULUMI_BACKEND_URL" >> ${calls}
    [ "$1" != stack ] || grep -q ^encryptionsalt: Pulumi.$4.yaml || echo "encryptionsalt: v$$" >> Pulumi.$4.yaml
    for last; do :; done; cat "$last" >> ${calls} 2>/dev/null || :`;
  writeFileSync(join(folder, "pulumi"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "pulumi"), 0o755);
  return () => readFileSync(calls, "utf8").trimEnd().split("\n");
}

test("the Pulumi CLI does the work if it is on PATH, with a file backend", async () => {
  const calls = recordingCli();
  const file = join(folder, "Pulumi.dev.yaml");
  writeFileSync(file, "config:\n  app:mode: dsr\n");
  const { code } = await runner("up");
  const backend = `file://${folder}/cache/pulumi`;
  const settings = join(folder, "cache", "pulumi", "settings", "app", "Pulumi.dev.yaml");
  const up = `up --yes --skip-preview --stack dev --config-file ${settings} ${backend}`;
  expect(calls().slice(0, 4)).toEqual([`stack select --create dev ${backend}`, up, "config:", "  app:mode: dsr"]);
  expect(code).toBe(0);
  // The salt of the new stack is known to the next run, and is not in the user's file.
  const salt = calls()[4];
  expect(salt).toMatch(/^encryptionsalt: v\d+$/);
  await runner("preview");
  expect(calls().at(-1)).toBe(salt);
  expect(readFileSync(file, "utf8")).toBe("config:\n  app:mode: dsr\n");
});

test("a second deployment of a stack by the Pulumi CLI has the stack's settings and a state of its own", async () => {
  const calls = recordingCli();
  writeFileSync(join(folder, "Pulumi.dev.yaml"), "config:\n  app:mode: dsr\n");
  expect((await runner("up", "--copy", "two")).code).toBe(0);
  const [select, up, ...settings] = calls();
  expect(select).toMatch(/^stack select --create dev-two /);
  expect(up).toMatch(/^up --yes --skip-preview --stack dev-two --config-file \S+\/Pulumi.dev-two.yaml /);
  expect(settings.slice(0, 2)).toEqual(["config:", "  app:mode: dsr"]);
});

test("a run by the Pulumi CLI that is stopped ends when the CLI has cancelled", async () => {
  const script = `[ "$1" = up ] || exit 0
    trap 'sleep 0.2; touch ${folder}/cancelled; exit 255' TERM; touch ${folder}/started; while :; do sleep 0.1; done`;
  writeFileSync(join(folder, "pulumi"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "pulumi"), 0o755);
  const ended = runner("up");
  await expect.poll(() => existsSync(join(folder, "started")), { interval: 50 }).toBe(true);
  running?.kill("SIGTERM");
  const { stderr, code } = await ended;
  expect(existsSync(join(folder, "cancelled"))).toBe(true);
  expect(stderr).toContain("up of stack dev failed: stopped by SIGTERM");
  expect(code).toBe(130);
});

test("a setting for one run by the Pulumi CLI does not change the stack's file, even an encrypted one", async () => {
  const calls = recordingCli();
  const file = join(folder, "Pulumi.dev.yaml");
  const settings = "encryptionsalt: v1\nconfig:\n  mode: dsr # or tunnel\n  app:kubeconfig:\n    secure: v1\n";
  writeFileSync(file, settings);
  const { code } = await runner("up", "--config", "mode=tunnel");
  expect(calls()[1]).toMatch(/^up --yes --skip-preview --stack dev --config-file \S+\/Pulumi.dev.yaml /);
  expect(parse(calls().slice(2).join("\n"))).toEqual({
    encryptionsalt: "v1",
    config: { "app:mode": "tunnel", "app:kubeconfig": { secure: "v1" } },
  });
  expect(readFileSync(file, "utf8")).toBe(settings);
  expect(code).toBe(0);
  expect((await runner("down")).code).toBe(0);
  expect(calls().filter((call) => /^destroy --yes --skip-preview --stack dev /.test(call))).toHaveLength(1);
});
