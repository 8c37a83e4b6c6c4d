import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { otherPlugins } from "./plugins.ts";

const folder = mkdtempSync(join(tmpdir(), "plugins-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("otherPlugins() lists every plugin except this project's, and reports unreadable files", () => {
  const files = {
    "05-ebpf-dataplane.conflist": JSON.stringify({ plugins: [{ type: "ebpf-dataplane" }] }),
    "10-calico.conflist": JSON.stringify({ plugins: [{ type: "calico" }, { type: "portmap" }] }),
    "87-bridge.conf": JSON.stringify({ type: "bridge" }),
    "99-broken.conf": "{",
    "calico-kubeconfig": "not a plugin configuration",
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  expect(otherPlugins(folder)).toEqual([
    { file: "10-calico.conflist", types: ["calico", "portmap"] },
    { file: "87-bridge.conf", types: ["bridge"] },
    { file: "99-broken.conf", types: [] },
  ]);
  expect(otherPlugins(join(folder, "none"))).toEqual([]);
});
