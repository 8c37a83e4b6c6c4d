// A command for any computer, run to its end as on a Mac: by a user with no rights and a fresh home, with POSIX programs and Node alone.
// It needs root to become such a user.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { programsOf } from "./bootstrap.fixture.ts";

const root = join(import.meta.dirname, "..");
const NOBODY = 65534;
const folder = mkdtempSync(join(tmpdir(), "other-computer-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** This project's own programs see macOS; esbuild, which has a binary for each system, does not. */
const PRETEND = `
if (/\\/dist\\/\\w+\\.js$/.test(process.argv[1] ?? "")) {
  Object.defineProperty(process, "platform", { value: "darwin" });
  Object.defineProperty(process, "arch", { value: "arm64" });
}`;

/** The sources as they are, for a user who may not read those of this checkout. Its npm packages are mounted, and cannot be written. */
function copyCheckout(checkout: string): void {
  const copy = `mkdir -p "$1/dist" "$1/node_modules" &&
    git ls-files --cached --others --exclude-standard -z | xargs -0 ls -d 2>/dev/null | tar -cT - | tar -xC "$1" &&
    cp -a dist/components dist/model dist/stacks dist/index.js dist/.components-key "$1/dist/" &&
    chown -R ${NOBODY}:${NOBODY} "$1"`;
  const { status, stderr } = spawnSync("sh", ["-c", copy, "sh", checkout], { cwd: root, encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
}

test("make preview and status run without root, Debian, Go and /var/cache", ({ skip }) => {
  const stamp = join(root, "node_modules", ".ebpf-dataplane-lock");
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) skip("SKIP: node_modules is not of make's own");
  chmodSync(folder, 0o755);
  const [checkout, home] = [join(folder, "checkout"), join(folder, "home")];
  mkdirSync(checkout);
  mkdirSync(home);
  chownSync(home, NOBODY, NOBODY);
  copyCheckout(checkout);
  writeFileSync(join(folder, "pretend.mjs"), PRETEND);
  const programs = programsOf(join(folder, "programs"), ["Darwin", "arm64"], ["go"]);
  programs.add("npm", "echo npm is not asked for; exit 1");
  writeFileSync(join(programs.folder, "node"), ""); // the binary is mounted on it

  const enter = `mount --bind -o ro "$1/node_modules" "$2/node_modules" && mount --bind -o ro "$3" "$4/node" && cd "$2" && shift 3 &&
    programs=$1 && shift && home=$1 && shift &&
    exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups --bounding-set=-all \
      env -i NO_COLOR=1 PATH="$programs" HOME="$home" NODE_OPTIONS="--import=${folder}/pretend.mjs" "$@"`;
  const run = (...words: string[]) => {
    const places = [root, checkout, process.execPath, programs.folder, home];
    const args = ["--mount", "--propagation", "private", "sh", "-c", enter, "sh", ...places, ...words];
    return spawnSync("unshare", args, { encoding: "utf8" });
  };

  const { stdout, stderr, status } = run("make", "--no-print-directory", "preview");
  expect([status, stderr]).toEqual([0, expect.stringContaining("Nothing is changed.")]);
  expect(stdout).toContain("Who reaches whom");
  expect(stdout).toContain("expectations agree with the declaration");

  const asked = run("node", "dist/verify.js", "status");
  expect(asked.stderr).toMatch(/^kubeconfig: there is none\. Next: give --kubeconfig FILE, or set KUBECONFIG/);
  expect(asked.status).toBe(2);
  expect(programs.foreignCalls()).toBe("");
  expect(readdirSync(home)).toEqual(["Library"]);
});
