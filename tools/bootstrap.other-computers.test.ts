// What make says and installs on a computer that is no Debian. bootstrap.other-computers.system.test.ts runs a command there to its end.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Programs, programsOf } from "./bootstrap.fixture.ts";

const root = join(import.meta.dirname, "..");
const makefile = readFileSync(join(root, "Makefile"), "utf8");

let folder: string;
let home: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "other-computer-"));
  home = join(folder, "home");
  mkdirSync(home);
  for (const path of [
    "Makefile",
    "package-lock.json",
    "tools/bootstrap",
    "tools/cache-folder",
    "tools/node",
    "tools/wrong-settings.awk",
  ])
    cpSync(join(root, path), join(folder, "checkout", path), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const checkout = () => join(folder, "checkout");

function make(programs: Programs, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync("make", ["--no-print-directory", ...words], {
    cwd: checkout(),
    // Not this project's cache: a user's own is to be found.
    env: { PATH: programs.folder, HOME: home },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** A Mac with this release of Node and an npm that notes what it is asked for. */
function mac(node: string | undefined, without: string[] = ["go"]): Programs {
  const programs = programsOf(join(folder, "programs"), ["Darwin", "arm64"], without);
  if (node) programs.add("node", `case "$1" in --version) echo ${node} ;; *) echo "node $*" ;; esac`);
  programs.add("npm", `echo "npm $*" >>'${folder}/npm-calls'\nmkdir -p node_modules`);
  return programs;
}

/** Targets by whether `make help` marks them. */
const TARGETS = [...makefile.matchAll(/^([a-z0-9-]+):(.*)## /gm)].map(([, name = "", needs = ""]) => ({
  name,
  anywhere: needs.includes("javascript"),
}));
const anywhere = TARGETS.filter((target) => target.anywhere).map(({ name }) => name);

test("these commands run on any computer", () => {
  expect(anywhere.sort()).toEqual(
    "audit bundle check explain flows inspect package preflight preview report status suggest trace watch".split(" "),
  );
});

test("make help marks them, and says what the mark means", () => {
  const { stdout, stderr, status } = make(mac("v24.2.0"), "help");
  expect(stderr).toBe("");
  const marked = [...stdout.matchAll(/^make ([a-z0-9-]+) +\* /gm)].map(([, name]) => name);
  expect(marked.sort()).toEqual(anywhere);
  expect(stdout).toContain("* runs on any computer with Node 24.");
  expect(status).toBe(0);
});

test("make help fits a terminal, whose words are those of a pipe", () => {
  const words = (text: string) => text.split(/\s+/).filter(Boolean);
  const inTerminal = (columns: number) => {
    const inside = `stty cols ${columns} rows 24; make --no-print-directory -C ${JSON.stringify(root)} help`;
    return spawnSync("script", ["--quiet", "--return", "--command", inside, "/dev/null"], { encoding: "utf8" }).stdout;
  };
  const lines = inTerminal(80).split(/\r?\n/);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  const { stdout } = make(mac("v24.2.0"), "help");
  expect(words(lines.join("\n"))).toEqual(words(stdout));
  expect(stdout.split("\n").length).toBeLessThan(lines.length);
});

/** Arguments without which a command says what it needs. */
const WORDS: Record<string, string[]> = {
  check: ["FILE=x"],
  explain: ["FROM=x", "TO=y"],
  inspect: ["VIEW=z"],
  suggest: ["FLOWS=x"],
  trace: ["FROM=x", "TO=y"],
};

test.each(anywhere)("make %s calls nothing but Node, for which no compiler is needed", (name) => {
  const { stdout } = make(mac("v24.2.0"), "-n", name, ...(WORDS[name] ?? []));
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("test -n "));
  expect(lines[0]).toBe("sh tools/bootstrap javascript >&2");
  const allowed =
    /^(sh tools\/bootstrap package >&2|node tools\/(audit|package)\.ts|node tools\/build\.ts --quiet bundle( components)?( >&2)?|node dist\/(runner|verify)\.js .*)$/;
  for (const line of lines.slice(1)) expect(line.trimEnd()).toMatch(allowed);
});

describe("a Mac", () => {
  test.each(["up", "down", "test", "build", "bpf", "ok", "compare", "specs", "e2e", "bench-services", "image"])(
    "make %s says where it runs before it installs anything",
    (name) => {
      const programs = mac("v24.2.0");
      const { status, stderr } = make(programs, name);
      expect(stderr).toMatch(/^Cannot run this on macOS: .* need Debian 12 and root\n {2}use the virtual machine of/);
      expect(stderr).toContain("lima/ebpf-dataplane.yaml");
      expect(stderr).toContain("devcontainer");
      expect(status).toBe(2);
      expect(programs.foreignCalls()).toBe("");
      expect(existsSync(join(folder, "npm-calls"))).toBe(false);
      expect(readdirSync(home)).toEqual([]);
    },
  );

  test("npm packages are installed with the Node on PATH, once, and nothing else", () => {
    const programs = mac("v25.0.1");
    expect(make(programs, "javascript").stderr).toBe("npm packages, about 30 s (a guess)\n");
    expect(make(programs, "javascript")).toEqual({ status: 0, stdout: "", stderr: "" });
    const calls = readFileSync(join(folder, "npm-calls"), "utf8").trimEnd().split("\n");
    expect(calls).toEqual([expect.stringMatching(/^npm ci --prefer-offline /)]);
    expect(programs.foreignCalls()).toBe("");
    expect(readdirSync(join(home, "Library", "Caches"))).toEqual(["ebpf-dataplane"]);
  });

  test.each(["v20.19.4", "v24.1.0", "v23.11.0", undefined])("Node %s is not enough", (version) => {
    const { status, stderr } = make(mac(version), "preview");
    expect(stderr).toMatch(
      `Cannot run without Node 24.2 or later. Node on PATH: ${version ?? "none"}\n  install it, for example with 'brew install node'`,
    );
    expect(status).toBe(2);
  });

  test("a check of machines over SSH needs Go, and says so", () => {
    const { stderr } = make(mac("v24.2.0"), "check", "FILE=x", "MACHINES=y");
    expect(stderr).toContain("Cannot compile: there is no Go\n  install Go 1.21 or later");
  });

  test("a home that cannot be written to is named, with what to do", () => {
    rmSync(home, { recursive: true });
    cpSync(join(root, "LICENSE"), home); // a file, which root cannot write into either
    const { stderr } = make(mac("v24.2.0"), "status");
    expect(stderr).toContain(`Cannot write to the cache ${home}/Library/Caches/ebpf-dataplane as `);
    expect(stderr).toContain("set EBPF_DATAPLANE_CACHE to a folder that you own");
    rmSync(home);
    mkdirSync(home);
  });
});

test("a Linux without apt-get is named as such", () => {
  const programs = programsOf(join(folder, "programs"), ["Linux", "x86_64"], ["apt-get", "dpkg-query"]);
  const { stderr } = make(programs, "EBPF_DATAPLANE_CACHE=/nowhere", "up");
  expect(stderr).toMatch(/^Cannot run this on this Linux, which has no apt-get: /);
});
