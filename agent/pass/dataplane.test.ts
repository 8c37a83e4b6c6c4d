import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { kindNames } from "../../model/objects/kinds.ts";
import { facts } from "../compile/policy-cluster.fixture.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { ProblemReporter } from "../watch/problem-reporter.ts";
import { SnapshotStore } from "../watch/snapshot-store.ts";
import { Dataplane, type DataplaneParts } from "./dataplane.ts";

function started({ whenWritten = () => {} }: { whenWritten?: () => void } = {}) {
  const runDirectory = mkdtempSync(join(tmpdir(), "dataplane-"));
  onTestFinished(() => rmSync(runDirectory, { recursive: true }));
  const lines: string[] = [];
  const say = (...words: unknown[]) => void lines.push(String(words.at(-1)));
  const log = { debug: say, info: say, warn: say, error: say };
  const store = new SnapshotStore(() => {});
  for (const kind of kindNames) store.replace(kind, []);
  const addresses = [{ type: "InternalIP", address: facts.address }];
  store.put("nodes", { metadata: { name: facts.nodeName }, status: { addresses } });
  const maps = memoryMaps();
  const parts = {
    options: { node: facts.nodeName, runDirectory },
    cluster: { store, problems: new ProblemReporter(log), secrets: {} },
    endpoints: { list: () => [] },
    network: {
      refresh: async () => facts,
      routePods: async () => true,
      route: async () => [],
      lead: async () => undefined,
      podMtu: 1450,
      followMtu: async () => 0,
    },
    maps,
    // Asked after the maps are written.
    healthChecks: {
      apply: async () => {
        whenWritten();
        return [];
      },
    },
    bgp: { apply: async () => [] },
    encryption: { apply: () => [], lookAgain: () => undefined },
    metrics: { reconciled: () => {}, failed: () => {} },
    log,
  };
  return { dataplane: new Dataplane(parts as unknown as DataplaneParts), store, maps, lines };
}

test("what is wrong with an object that arrives during a pass is reported by the pass that carries out the others", async () => {
  let arrives = () => void store.put("ipReservations", { metadata: { name: "late" }, spec: { reservedCIDRs: "none" } });
  const { dataplane, store, lines } = started({
    whenWritten: () => {
      arrives();
      arrives = () => {};
    },
  });
  const reported = () => lines.filter((line) => line.startsWith("IPReservation late"));
  expect(await dataplane.apply()).toBe("done");
  expect(reported()).toEqual([]);
  expect(await dataplane.apply()).toBe("done");
  expect(reported()).toHaveLength(1);
});

test("a pass that breaks off while it compiles loses no change", async () => {
  const { dataplane, store, maps } = started();
  const slice = (address: string) => ({
    metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ port: 80 }],
    endpoints: [{ addresses: [address] }],
  });
  store.put("services", {
    metadata: { name: "web", namespace: "default" },
    spec: { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"], ports: [{ port: 80 }] },
  });
  store.put("endpointSlices", slice("198.51.100.1"));
  const backends = () => maps.backends.entries().map(([, { address }]) => address);
  expect(await dataplane.apply()).toBe("done");
  expect(backends()).toEqual(["198.51.100.1"]);

  store.put("endpointSlices", slice("198.51.100.2"));
  // Read after the services.
  const broken = new Proxy([], {
    get: () => {
      throw new Error("broken");
    },
  });
  const whole = store.snapshot.bind(store);
  store.snapshot = (...of) => ({ ...whole(...of), namespaces: broken });
  expect(await dataplane.apply()).toBe("failed");
  store.snapshot = whole;
  expect(await dataplane.apply()).toBe("done");
  expect(backends()).toEqual(["198.51.100.2"]);
});

test("maps are read while passes go on, and what another process has changed is corrected by the next one", async () => {
  const { dataplane, store, maps } = started();
  store.put("services", {
    metadata: { name: "web", namespace: "default" },
    spec: { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"], ports: [{ port: 80 }] },
  });
  expect(await dataplane.apply()).toBe("done");
  const services = maps.frontends.entries();
  expect(services).not.toEqual([]);
  await Promise.all([dataplane.readAgain(), dataplane.apply()]);
  maps.frontends.delete(services.map(([key]) => key));
  await dataplane.apply();
  expect(maps.frontends.entries()).toEqual([]); // not known yet
  await dataplane.readAgain();
  await dataplane.apply();
  expect(maps.frontends.entries()).toEqual(services);
});
