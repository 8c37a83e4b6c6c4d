import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { chosenKubeconfig, type KubeconfigSources } from "./chosen-kubeconfig.ts";

const folder = mkdtempSync(join(tmpdir(), "chosen-"));
vi.stubEnv("HOME", folder);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Of two clusters: `name`, which is the current one, and `name-other`. */
const text = (name: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [name, `${name}-other`].map((one) => ({ name: one, context: { cluster: one, user: one } })),
    clusters: [name, `${name}-other`].map((one) => ({ name: one, cluster: { server: `https://${one}` } })),
    users: [{ name, user: {} }],
  });

function file(path: string, name: string): string {
  const whole = join(folder, path);
  mkdirSync(join(whole, ".."), { recursive: true });
  writeFileSync(whole, text(name));
  return whole;
}
file(".kube/config", "home");
const [given, named, local] = [file("given", "given"), file("named", "named"), file("local", "local")];
const all = { path: given, content: text("content"), environment: named, local, home: true };

test.each<[string, KubeconfigSources]>([
  ["given", all],
  ["content", { ...all, path: undefined }],
  ["named", { ...all, path: undefined, content: undefined }],
  ["local", { local, home: true }],
  ["home", { home: true, hidden: "only root can see lab local" }],
  ["given-other", { ...all, context: "given-other" }],
  ["content-other", { content: text("content"), context: "content-other" }],
  ["home-other", { home: true, context: "home-other" }],
  ["named", { environment: [join(folder, "missing"), named, local].join(delimiter) }],
  ["local-other", { environment: [named, local].join(delimiter), context: "local-other" }],
])("the cluster %s", (server, sources) => {
  expect(chosenKubeconfig(sources).server).toBe(`https://${server}`);
});

test.each<[KubeconfigSources, RegExp]>([
  [{}, /^kubeconfig: there is none$/],
  [
    { hidden: "only root can see lab local" },
    /^kubeconfig: there is none that this user can read: only root can see lab/,
  ],
  [{ path: join(folder, "missing") }, /^kubeconfig .*missing: the kubeconfig cannot be read: ENOENT/],
  [{ ...all, context: "nobody" }, /^kubeconfig .*given: the kubeconfig has no context nobody$/],
  [{ content: "a: [" }, /^kubeconfig: the kubeconfig cannot be read: /],
])("what cannot be used is named, %j", (sources, message) => {
  expect(() => chosenKubeconfig(sources)).toThrow(expect.objectContaining({ message: expect.stringMatching(message) }));
});
