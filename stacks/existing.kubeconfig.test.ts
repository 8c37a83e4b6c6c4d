// Which cluster the stack for an existing one means: kubectl's, unless a setting says another.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { recordResources, settled } from "../components/testing/program.ts";

const folder = mkdtempSync(join(tmpdir(), "existing-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

function file(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, `apiVersion: v1 # ${name}\n`);
  return path;
}
const [one, other, missing] = [file("one"), file("other"), join(folder, "missing")];

let turn = 0;
/** The kubeconfig that the stack's objects go by. */
async function chosen(settings: Record<string, string>, KUBECONFIG: string | undefined): Promise<unknown> {
  vi.stubEnv("HOME", folder);
  vi.stubEnv("KUBECONFIG", KUBECONFIG);
  const resources = await recordResources(true);
  const all = { apiServerHost: "203.0.113.7", ...settings };
  const named = Object.entries(all).map(([key, value]) => [`ebpf-dataplane:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(named));
  await import(/* @vite-ignore */ `${new URL("existing.ts", import.meta.url).pathname}?cluster=${++turn}`);
  await settled();
  const command = resources.find(({ type }) => type === "command:local:Command");
  return JSON.stringify(command?.inputs.environment);
}

test.each([
  ["KUBECONFIG", {}, one, "# one"],
  ["the only file of KUBECONFIG that exists", {}, [missing, other].join(delimiter), "# other"],
  ["a setting before KUBECONFIG", { kubeconfigPath: other }, one, "# other"],
  [
    "the setting's content before both",
    { kubeconfig: "apiVersion: v1 # secret", kubeconfigPath: other },
    one,
    "# secret",
  ],
])("%s", async (_, settings, variable, content) => {
  expect(await chosen(settings, variable)).toContain(content);
});

test.each([
  ["several files", {}, [one, other].join(delimiter), "must be one file here: kubectl config view"],
  ["a file that is missing", {}, missing, `KUBECONFIG is "${missing}", but must be a readable file: ENOENT`],
  ["none at all", {}, undefined, 'the kubeconfig is "~/.kube/config", but must be a readable file: ENOENT'],
  ["a setting that is wrong, whatever KUBECONFIG says", { kubeconfigPath: missing }, one, "kubeconfigPath is"],
])("refuses %s", async (_, settings, variable, message) => {
  await expect(chosen(settings, variable)).rejects.toThrow(message);
});
