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

test("what is wrong with an object that arrives during a pass is reported by the pass that carries out the others", async () => {
  const runDirectory = mkdtempSync(join(tmpdir(), "dataplane-"));
  onTestFinished(() => rmSync(runDirectory, { recursive: true }));
  const lines: string[] = [];
  const say = (...words: unknown[]) => void lines.push(String(words.at(-1)));
  const log = { debug: say, info: say, warn: say, error: say };
  const store = new SnapshotStore(() => {});
  for (const kind of kindNames) store.replace(kind, []);
  const addresses = [{ type: "InternalIP", address: facts.address }];
  store.put("nodes", { metadata: { name: facts.nodeName }, status: { addresses } });
  let arrives = () => store.put("ipReservations", { metadata: { name: "late" }, spec: { reservedCIDRs: "none" } });
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
    maps: memoryMaps(),
    // Asked after the maps are written.
    healthChecks: {
      apply: async () => {
        arrives();
        arrives = () => {};
        return [];
      },
    },
    bgp: { apply: async () => [] },
    encryption: { apply: () => [], lookAgain: () => undefined },
    metrics: { reconciled: () => {}, failed: () => {} },
    log,
  };
  const dataplane = new Dataplane(parts as unknown as DataplaneParts);
  const reported = () => lines.filter((line) => line.startsWith("IPReservation late"));
  expect(await dataplane.apply()).toBe("done");
  expect(reported()).toEqual([]);
  expect(await dataplane.apply()).toBe("done");
  expect(reported()).toHaveLength(1);
});
