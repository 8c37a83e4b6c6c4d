// No cluster, a wrong one, or one that refuses: a sentence and the next step.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { fakeApiServer, kubeconfigFor } from "../kubernetes/testing/fake-api-server.ts";
import { refusingPort } from "../kubernetes/testing/refusing-port.ts";
import { checkCommand } from "./check-command.ts";
import { LabAtWork, namedKubeconfig } from "./connect.ts";
import { inspectCommand } from "./inspect/inspect-command.ts";
import { statusCommand } from "./status/status-command.ts";

const folder = mkdtempSync(join(tmpdir(), "connect-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  for (const name of ["KUBECONFIG", "KUBECONFIG_CONTENT"]) vi.stubEnv(name, "");
  vi.stubEnv("HOME", folder);
});
afterEach(() => vi.unstubAllEnvs());

/** The exit status, and everything that is said. */
async function status(kubeconfig: string) {
  const path = join(folder, "kubeconfig");
  writeFileSync(path, kubeconfig);
  const lines = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => lines.mockRestore());
  const code = await statusCommand({ kubeconfig: path, lab: "none", json: false });
  return { code, said: lines.mock.calls.flat().join("\n") };
}

test.each([
  [401, "Unauthorized", "Next: renew the credentials of the kubeconfig's user, or log in again."],
  [403, "Forbidden", "Next: use the credentials of a user who may do this"],
])("an API server that answers %i", async (refusal, reason, next) => {
  const server = await fakeApiServer(() => [refusal, { kind: "Status", reason, message: reason }]);
  onTestFinished(() => void server.close());
  const { code, said } = await status(server.kubeconfig);
  expect(code).toBe(2);
  expect(said).toContain(next);
  expect(said).not.toMatch(/^\s+at /m);
});

test("an API server that is not there", async () => {
  const { port, close } = await refusingPort();
  onTestFinished(close);
  const { code, said } = await status(kubeconfigFor(`http://127.0.0.1:${port}`));
  expect(code).toBe(2);
  expect(said).toMatch(/^the API server http:\/\/127.0.0.1:\d+ does not answer GET .*ECONNREFUSED/);
  expect(said).toContain("Next: check that the API server is running and reachable");
});

test("a check of a cluster that cannot be asked is no check that fails", async () => {
  const server = await fakeApiServer(() => [401, { kind: "Status", reason: "Unauthorized", message: "Unauthorized" }]);
  onTestFinished(() => void server.close());
  const lines = vi.spyOn(console, "error").mockImplementation(() => {});
  const printed = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  onTestFinished(() => {
    lines.mockRestore();
    printed.mockRestore();
  });
  const [kubeconfig, out] = [join(folder, "kubeconfig"), join(folder, "out.json")];
  const file = join(import.meta.dirname, "..", "docs", "checks", "default-deny.check.yaml");
  writeFileSync(kubeconfig, server.kubeconfig);
  const options = { kubeconfig, out, lab: "none", json: false, quiet: false };
  expect(await checkCommand([file], options)).toBe(2);
  expect(lines.mock.calls.flat().join("\n")).toContain("Unauthorized");
  expect(printed).not.toHaveBeenCalled();
});

test("a cluster without this dataplane", async () => {
  const server = await fakeApiServer(() => [200, { items: [] }]);
  onTestFinished(() => void server.close());
  const lines = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => lines.mockRestore());
  writeFileSync(join(folder, "kubeconfig"), server.kubeconfig);
  const options = { kubeconfig: join(folder, "kubeconfig"), lab: "none", json: false };
  expect(await inspectCommand("services", options)).toBe(2);
  expect(lines.mock.calls.flat().join("\n")).toMatch(/^the cluster http:.* has no node$/);
});

test("only commands that change nothing take kubectl's own file without a word", () => {
  const lab = { name: "local", machines: [] };
  expect(() => namedKubeconfig({}, lab, true)).toThrow("kubeconfig: there is none. Next: give --kubeconfig FILE");
  const hidden = "only root can see lab local, or that there is none";
  expect(() => namedKubeconfig({}, { ...lab, hidden }, true)).toThrow(`${hidden}. Next: run it as root`);
  vi.stubEnv("KUBECONFIG", join(folder, "missing"));
  expect(() => namedKubeconfig({}, lab, false)).toThrow(/kubeconfig .*missing: .*ENOENT.* Next: /);
});

test("who means a lab that has no cluster yet is not led to kubectl's", () => {
  mkdirSync(join(folder, ".kube"), { recursive: true });
  writeFileSync(join(folder, ".kube", "config"), kubeconfigFor("http://127.0.0.1:1"));
  onTestFinished(() => rmSync(join(folder, ".kube"), { recursive: true }));
  const lab = { name: "local", exists: true, machines: [] };
  const atWork = { ...lab, worker: "'up' (process 12)" };
  expect(() => namedKubeconfig({}, atWork, false)).toThrow(LabAtWork);
  expect(() => namedKubeconfig({}, atWork, false)).toThrow(
    "lab local has no cluster yet: 'up' (process 12) works on it. Next: wait until that ends",
  );
  expect(() => namedKubeconfig({}, lab, false)).toThrow("lab local has no kubeconfig. Next: ");
  expect(() => namedKubeconfig({}, lab, false)).not.toThrow(LabAtWork);
  // Another cluster is named, or there is no lab.
  const home = "http://127.0.0.1:1";
  expect(namedKubeconfig({ kubeconfig: join(folder, ".kube", "config") }, atWork, false).server).toBe(home);
  expect(namedKubeconfig({}, { name: "local", exists: false, machines: [] }, false).server).toBe(home);
});

test("who means a lab whose machines do not run, as after a reboot, is told what boots it", () => {
  writeFileSync(join(folder, "of-lab"), kubeconfigFor("http://127.0.0.1:1"));
  const master = { name: "master", address: "172.31.1.8", role: "control-plane" as const };
  const lab = { name: "local", exists: true, kubeconfig: join(folder, "of-lab"), machines: [master] };
  expect(() => namedKubeconfig({}, lab, false)).toThrow(
    "lab local is stopped: its control plane master does not run, as after a reboot. Next: `make up` boots it",
  );
  expect(() => namedKubeconfig({}, { ...lab, worker: "'up' (process 12)" }, false)).toThrow(LabAtWork);
  const running = { ...lab, machines: [{ ...master, pid: 12 }] };
  expect(namedKubeconfig({}, running, false).server).toBe("http://127.0.0.1:1");
});
