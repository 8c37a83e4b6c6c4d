import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { installPlugin, PLUGIN } from "./install.ts";

function node() {
  const folder = mkdtempSync(join(tmpdir(), "install-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [binary, binFolder, confFolder] = ["shim", "bin", "net.d"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(binary, "shim");
  return { binary, binFolder, confFolder, socket: "/run/cni.sock" };
}

test("the plugin is installed, and again without a change", () => {
  const options = node();
  installPlugin(options);
  installPlugin(options);
  expect(readdirSync(options.binFolder).sort()).toEqual([PLUGIN, "loopback"]);
  expect(readdirSync(options.confFolder)).toEqual(["05-ebpf-dataplane.conflist"]);
});

test("on a full disk the file is named, with the next step, and no draft stays", () => {
  const options = node();
  mkdirSync(options.confFolder);
  // A disk without any room (null(4)).
  const draft = join(options.confFolder, "05-ebpf-dataplane.conflist.new");
  symlinkSync("/dev/full", draft);
  expect(() => installPlugin(options)).toThrow(
    `Cannot install the network plugin: cannot write ${draft.replace(/\.new$/, "")}: its disk is full. Next: free space there; the agent`,
  );
  expect(existsSync(draft)).toBe(false);
  expect(existsSync("/dev/full")).toBe(true);
  expect(readdirSync(options.confFolder)).toEqual([]);
});
