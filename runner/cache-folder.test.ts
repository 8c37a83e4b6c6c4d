import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Computer, cacheFolder } from "./cache-folder.ts";

const script = readFileSync(join(import.meta.dirname, "..", "tools", "cache-folder"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "cache-folder-"));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

const HOME = "/homes/someone";
const user: Computer = { env: {}, platform: "linux", ownsSystem: false, home: HOME };
const mac: Computer = { ...user, platform: "darwin" };
const root: Computer = { ...user, ownsSystem: true };

const CASES: [name: string, computer: Computer, expected: string][] = [
  ["root on Linux", root, "/var/cache/ebpf-dataplane"],
  ["a user on Linux", user, `${HOME}/.cache/ebpf-dataplane`],
  ["a user with XDG_CACHE_HOME", { ...user, env: { XDG_CACHE_HOME: "/x" } }, "/x/ebpf-dataplane"],
  ["root with XDG_CACHE_HOME", { ...root, env: { XDG_CACHE_HOME: "/x" } }, "/var/cache/ebpf-dataplane"],
  ["macOS", mac, `${HOME}/Library/Caches/ebpf-dataplane`],
  ["root on macOS", { ...mac, ownsSystem: true }, `${HOME}/Library/Caches/ebpf-dataplane`],
  ["macOS with XDG_CACHE_HOME", { ...mac, env: { XDG_CACHE_HOME: "/x" } }, "/x/ebpf-dataplane"],
  ["a folder that the user chose", { ...root, env: { EBPF_DATAPLANE_CACHE: "/c" } }, "/c"],
  [
    "an empty choice",
    { ...user, env: { EBPF_DATAPLANE_CACHE: "", XDG_CACHE_HOME: "" } },
    `${HOME}/.cache/ebpf-dataplane`,
  ],
];

/** What `tools/cache-folder` prints on such a computer: its programs give that computer's answers, and it runs as a user who owns nothing. */
function printed({ env, platform, ownsSystem, home }: Computer): string {
  const answers = { uname: platform === "darwin" ? "Darwin" : "Linux", id: ownsSystem ? "0" : "1000" };
  for (const [name, answer] of Object.entries(answers))
    writeFileSync(join(folder, name), `#!/bin/sh\necho ${answer}\n`, { mode: 0o755 });
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const { stdout, stderr } = spawnSync("/bin/sh", ["-s"], {
    input: script,
    env: { ...env, HOME: home, PATH: folder },
    encoding: "utf8",
    cwd: "/",
    ...nobody,
  });
  return stdout.trimEnd() || stderr;
}

test.each(CASES)("%s: the same folder in the package and in make", (_name, computer, expected) => {
  expect(cacheFolder(computer)).toBe(expected);
  expect(printed(computer)).toBe(expected);
});
