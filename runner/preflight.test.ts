import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "preflight-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: app\nruntime: nodejs\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A stack whose preflight is this command. */
function preflight(create: string, ...options: string[]) {
  writeFileSync(
    join(folder, "index.ts"),
    `import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
class ExistingCluster extends pulumi.ComponentResource {
  constructor(name: string) {
    super("ebpf-dataplane:index:ExistingCluster", name, {});
    new command.local.Command("preflight", { create: ${JSON.stringify(create)}, logging: "stderr" }, { parent: this });
  }
}
new ExistingCluster("cluster");
`,
  );
  const words = ["--no-warnings", join(root, "runner", "main.ts"), "preflight", "--cwd", folder, ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  return { status, stdout, stderr };
}

test("its exit status tells a cluster that cannot be asked from one with obstacles", () => {
  const unasked = preflight("echo no answer >&2; exit 2");
  expect(unasked.stderr).toContain("no answer");
  expect(unasked.status).toBe(2);
  const blocked = preflight("echo '{}'; exit 1", "--json");
  expect([blocked.status, blocked.stdout]).toEqual([1, "{}\n"]);
});
