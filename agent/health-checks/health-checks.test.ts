import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isLeaving, node } from "../../model/objects/core.ts";
import { freePort } from "../../probe/free-port.fixture.ts";
import { HealthChecks } from "./health-checks.ts";

const warnings: string[] = [];
const log = { warn: (text: unknown) => void warnings.push(String(text)) };
let folder: string;
let proxyPort: number;
let port: number;
let checks: HealthChecks;

const make = () => new HealthChecks({ node: "node", proxyPort, memory: join(folder, "health-checks.json"), log });
const web = (localEndpoints: number, at = port) => ({ namespace: "default", name: "web", port: at, localEndpoints });
const state = (...all: ReturnType<typeof web>[]) => ({ checks: all, leaving: false });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "health-checks-"));
  [proxyPort, port] = [await freePort(), await freePort()];
  warnings.length = 0;
  checks = make();
});
afterEach(async () => {
  await checks.apply(undefined);
  rmSync(folder, { recursive: true });
});

interface Answer {
  status: number | string;
  body?: Record<string, unknown>;
  headers?: Record<string, unknown>;
}

function ask(at: number, path = "/", host = "127.0.0.1"): Promise<Answer> {
  return new Promise((resolve) => {
    get({ host, port: at, path, agent: false }, async (response) => {
      let text = "";
      for await (const part of response) text += part;
      const body = text.startsWith("{") ? JSON.parse(text) : {};
      resolve({ status: response.statusCode ?? 0, body, headers: response.headers });
    }).on("error", (error: NodeJS.ErrnoException) => resolve({ status: error.code ?? "" }));
  });
}

test("a Service's port answers 200 with the count, and 503 without endpoints, in kube-proxy's words", async () => {
  expect(await checks.apply(state(web(2)))).toEqual([]);
  const { status, body, headers } = await ask(port);
  expect(status).toBe(200);
  expect(body).toEqual({
    service: { namespace: "default", name: "web" },
    localEndpoints: 2,
    serviceProxyHealthy: true,
  });
  expect(headers).toMatchObject({
    "content-type": "application/json",
    "x-content-type-options": "nosniff",
    "x-load-balancing-endpoint-weight": "2",
  });
  await checks.apply(state(web(0)));
  expect(await ask(port, "/any/path")).toMatchObject({ status: 503, body: { localEndpoints: 0 } });
  await checks.apply(state());
  expect(await ask(port)).toEqual({ status: "ECONNREFUSED" });
});

test("a Service's port that moves is opened anew, and the old one closed", async () => {
  const other = await freePort();
  await checks.apply(state(web(1)));
  await checks.apply(state(web(1, other)));
  expect([(await ask(port)).status, (await ask(other)).status]).toEqual(["ECONNREFUSED", 200]);
});

test("the node's port: 503 at /healthz while it is being deleted, at both when a change has waited for a minute", async () => {
  await checks.apply(state(web(1)));
  expect(await ask(proxyPort, "/healthz")).toMatchObject({ status: 200, body: { nodeEligible: true } });
  expect((await ask(proxyPort, "/livez?verbose")).status).toBe(200);
  expect((await ask(proxyPort, "/metrics")).status).toBe(404);
  await checks.apply({ ...state(web(1)), leaving: true });
  expect(await ask(proxyPort, "/healthz")).toMatchObject({ status: 503, body: { nodeEligible: false } });
  expect((await ask(proxyPort, "/livez")).status).toBe(200);
  await checks.apply(state(web(1)));
  checks.waitingMs = () => 59_000;
  expect((await ask(proxyPort, "/healthz")).status).toBe(200);
  checks.waitingMs = () => 61_000;
  expect(await ask(proxyPort, "/healthz")).toMatchObject({ status: 503, body: { nodeEligible: true } });
  expect((await ask(proxyPort, "/livez")).status).toBe(503);
  expect(await ask(port)).toMatchObject({ status: 503, body: { localEndpoints: 1, serviceProxyHealthy: false } });
});

test("a node is leaving when it is being deleted or the cluster autoscaler says so", () => {
  const metadata = { name: "node" };
  const tainted = (key: string) => node.parse({ metadata, spec: { taints: [{ key, effect: "NoSchedule" }] } });
  expect(isLeaving(node.parse({ metadata }))).toBe(false);
  expect(isLeaving(tainted("node.kubernetes.io/unschedulable"))).toBe(false);
  expect(isLeaving(tainted("ToBeDeletedByClusterAutoscaler"))).toBe(true);
  expect(isLeaving(node.parse({ metadata: { ...metadata, deletionTimestamp: "2026-11-28T00:00:00Z" } }))).toBe(true);
});

test("a taken port is a problem of its Service, and is opened when it is free; other Services are answered for", async () => {
  const other = await freePort();
  const thief = createServer();
  await new Promise<void>((resolve) => thief.listen(port, "127.0.0.1", () => resolve()));
  const both = state(web(1), { ...web(1, other), name: "other" });
  const [problem, ...more] = await checks.apply(both);
  expect(more).toEqual([]);
  expect(problem).toMatchObject({ kind: "Service", name: "web", path: "spec.healthCheckNodePort" });
  expect(problem?.message).toMatch(/^port \d+ cannot be opened on node node \(.*EADDRINUSE.*\).* Next: /);
  expect((await ask(other)).status).toBe(200);
  await new Promise((resolve) => thief.close(resolve));
  expect(await checks.apply(both)).toEqual([]);
  expect((await ask(port)).status).toBe(200);
});

test("nothing answers while kube-proxy handles services", async () => {
  await checks.apply(state(web(1)));
  await checks.apply(undefined);
  expect([await ask(port), await ask(proxyPort, "/healthz")]).toEqual(Array(2).fill({ status: "ECONNREFUSED" }));
  const next = make();
  await next.restore();
  expect(await ask(proxyPort, "/healthz")).toEqual({ status: "ECONNREFUSED" });
});

test("a new agent answers at once what the last one did; a damaged file makes it wait", async () => {
  await checks.apply(state(web(3)));
  const kept = make();
  await checks.apply(undefined);
  expect((await ask(port)).status).toBe("ECONNREFUSED");
  writeFileSync(join(folder, "health-checks.json"), JSON.stringify(state(web(3))));
  await kept.restore();
  expect(await ask(port)).toMatchObject({ status: 200, body: { localEndpoints: 3 } });
  await kept.apply(undefined);
  writeFileSync(join(folder, "health-checks.json"), "{");
  await kept.restore();
  expect(warnings.join()).toContain("health checks wait");
});

test("clients that connect and do not ask keep load balancers neither out nor waiting", async () => {
  await checks.apply(state(web(1)));
  const silent: Socket[] = [];
  const begun = performance.now();
  for (let at = 0; at < 600; at++) {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    silent.push(socket.resume());
    await new Promise((resolve) => socket.once("connect", resolve));
  }
  expect((await ask(port)).status).toBe(200);
  const open = () => silent.filter(({ readyState }) => readyState === "open").length;
  await expect.poll(open).toBeLessThanOrEqual(512);
  // Those that are silent for five seconds end too.
  if (performance.now() - begun < 5_000) expect(open()).toBeGreaterThan(400);
  for (const socket of silent) socket.destroy();
});
