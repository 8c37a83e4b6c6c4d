// The virtual machine and the container in which the lab runs where there is no Debian. Neither can be started here, so their files are
// compared with what the formats allow and with what the project needs.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import type { LabFailure } from "../../lab/failure.ts";
import { requireCgroup2 } from "../../lab/host.ts";
import { labsFolder } from "../../lab/names.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const readme = read("README.md");
/** Needed before tools/bootstrap runs, with any release of Node. */
const BEFORE_BOOTSTRAP = ["git", "make", "npm", "golang-go"];

describe("lima/ebpf-dataplane.yaml", () => {
  /** The part of Lima's format that is used (templates/default.yaml of Lima): it refuses unknown keys only in strict mode, and ignores them otherwise. */
  const format = z.strictObject({
    minimumLimaVersion: z.string().regex(/^\d+\.\d+\.\d+$/),
    images: z.array(z.strictObject({ location: z.url(), arch: z.enum(["x86_64", "aarch64"]) })),
    mountTypesUnsupported: z.array(z.enum(["9p", "virtiofs", "reverse-sshfs"])),
    cpus: z.int(),
    memory: z.string().regex(/^\d+GiB$/),
    disk: z.string().regex(/^\d+GiB$/),
    mounts: z.array(z.strictObject({ location: z.string(), writable: z.boolean().optional() })),
    containerd: z.strictObject({ system: z.boolean(), user: z.boolean() }),
    provision: z.array(z.strictObject({ mode: z.enum(["system", "user"]), script: z.string().startsWith("#!") })),
    probes: z.array(z.strictObject({ description: z.string(), script: z.string().startsWith("#!"), hint: z.string() })),
    message: z.string(),
  });
  const machine = format.parse(parse(read("lima/ebpf-dataplane.yaml")));

  test("is Debian 12 with its whole kernel, for both processors", () => {
    expect(machine.images.map(({ arch }) => arch)).toEqual(["x86_64", "aarch64"]);
    for (const { location, arch } of machine.images)
      expect(location).toMatch(
        new RegExp(`/bookworm/latest/debian-12-generic-${arch === "aarch64" ? "arm64" : "amd64"}\\.qcow2$`),
      );
  });

  test("is large enough to compile Kubernetes, and cannot change the checkout", () => {
    expect(machine.cpus).toBeGreaterThanOrEqual(4);
    expect(Number.parseInt(machine.memory, 10)).toBeGreaterThanOrEqual(8);
    expect(Number.parseInt(machine.disk, 10)).toBeGreaterThanOrEqual(60);
    expect(machine.mounts.some(({ writable }) => writable)).toBe(false);
  });

  test("has scripts that sh can parse, and what comes before tools/bootstrap", () => {
    for (const { script } of [...machine.provision, ...machine.probes])
      expect(spawnSync("sh", ["-n"], { input: script, encoding: "utf8" }).stderr).toBe("");
    const installed = machine.provision.flatMap(({ script }) =>
      [...script.matchAll(/apt-get install (.*)$/gm)].flatMap(([, words = ""]) => words.split(" ")),
    );
    for (const name of BEFORE_BOOTSTRAP) expect(installed).toContain(name);
  });

  test("ends with the commands of the README", () => {
    const commands = machine.message.replaceAll("{{.Name}}", "ebpf-dataplane").match(/limactl .*/g) ?? [];
    expect(commands).toHaveLength(2);
    for (const command of commands) expect(readme).toContain(command);
  });
});

describe(".devcontainer/devcontainer.json", () => {
  /** The part of the specification that is used (schemas/devContainer.base.schema.json of devcontainers/spec). */
  const format = z.strictObject({
    name: z.string(),
    image: z.string(),
    features: z.record(z.string().regex(/^ghcr\.io\/devcontainers\/features\/[a-z-]+:\d+$/), z.looseObject({})),
    hostRequirements: z.strictObject({
      cpus: z.int(),
      memory: z.string().regex(/^\d+gb$/),
      storage: z.string().regex(/^\d+gb$/),
    }),
    privileged: z.boolean(),
    init: z.boolean(),
    remoteUser: z.string(),
    containerEnv: z.record(z.string(), z.string()),
    runArgs: z.array(z.string().startsWith("--")),
    mounts: z.array(z.string().regex(/^type=volume,source=[\w${}-]+,target=[^,]+$/)),
    postCreateCommand: z.string(),
    postStartCommand: z.string(),
  });
  // The format allows comments; here they have lines of their own.
  const container = format.parse(JSON.parse(read(".devcontainer/devcontainer.json").replace(/^\s*\/\/.*$/gm, "")));

  test("is Debian 12 with Go and Node, where the lab has its rights and the root of the cgroups", () => {
    expect(container.image).toBe("mcr.microsoft.com/devcontainers/base:bookworm");
    expect(Object.keys(container.features).map((name) => /([a-z]+):\d+$/.exec(name)?.[1])).toEqual(["go", "node"]);
    expect([container.privileged, container.remoteUser]).toEqual([true, "root"]);
    expect(container.runArgs).toContain("--cgroupns=host");
  });

  test("keeps the labs' disks off its own overlay, and what is built for Linux out of the checkout", () => {
    const targets = container.mounts.map((mount) => /target=(.*)$/.exec(mount)?.[1] ?? "");
    expect(targets.some((target) => labsFolder.startsWith(`${target}/`))).toBe(true);
    for (const built of ["node_modules", "dist"]) expect(targets).toContain(`\${containerWorkspaceFolder}/${built}`);
    expect(targets).toContain("/var/cache/ebpf-dataplane");
    expect(new Set(targets).size).toBe(targets.length);
  });

  test("mounts cgroup2 where the host gives it none, as the lab asks for", () => {
    const said = (() => {
      try {
        requireCgroup2([]);
      } catch (error) {
        return (error as LabFailure).next ?? "";
      }
    })();
    const [, command = ""] = /^(.*) \(\.devcontainer does\)$/.exec(said ?? "") ?? [];
    expect(container.postStartCommand).toBe(`grep -q ' cgroup2 ' /proc/mounts || { ${command}; }`);
  });

  test("trusts the checkout, which may be another user's, and installs by a script that exists", () => {
    const [trust, install = ""] = container.postCreateCommand.split(" && ");
    const home = realpathSync(mkdtempSync(join(tmpdir(), "home-")));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home };
    expect(spawnSync("sh", ["-c", trust ?? ""], { cwd: home, env }).status).toBe(0);
    const trusted = spawnSync("git", ["config", "--global", "safe.directory"], { env, encoding: "utf8" }).stdout;
    expect(trusted).toBe(`${home}\n`);
    const [shell, script = "", ...rest] = install.split(" ");
    expect([shell, rest]).toEqual(["sh", []]);
    expect(spawnSync("sh", ["-n", join(root, script)], { encoding: "utf8" }).stderr).toBe("");
  });
});
