// Maglev tables while they are written: a new connection finds a backend in every entry at every moment.
import { expect, test } from "vitest";
import { service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { Compiler } from "../compile/compile.ts";
import { entriesOf } from "../compile/desired.ts";
import { TABLE_FIRST } from "../kernel/layout.gen.ts";
import type { MapStores } from "../kernel/map-store.ts";
import { observedMaps } from "../kernel/observed-map.ts";
import { Reconciler } from "./reconciler.ts";

const around = snapshotOf({ namespaceLabels: {}, pods: [], policies: [] });

function snapshot(selection: string | undefined, hosts: readonly number[]) {
  const annotations = selection ? { "ebpf-dataplane.io/backend-selection": selection } : {};
  const metadata = { name: "a", namespace: "default" };
  return {
    ...around,
    services: [
      service.parse({
        metadata: { ...metadata, annotations },
        spec: { clusterIPs: ["10.96.0.1"], ports: [{ port: 80 }] },
      }),
    ],
    endpointSlices: [
      endpointSlice.parse({
        metadata: { ...metadata, labels: { "kubernetes.io/service-name": "a" } },
        addressType: "IPv4",
        ports: [{ port: 80 }],
        endpoints: hosts.map((host) => ({ addresses: [`10.9.${host >> 8}.${host & 255}`], nodeName: "x" })),
      }),
    ],
  };
}

/** Entries that a packet could choose and that name no backend; some of them at a time. */
function brokenEntries({ frontends, slots, backends }: MapStores, step: number): number[] {
  return frontends.entries().flatMap(([, { backendList, tableSize }]) => {
    const broken: number[] = [];
    for (let at = step % 97; at < tableSize; at += 97) {
      const id = slots.lookup({ backendList, index: TABLE_FIRST + at });
      if (id === undefined || !backends.lookup(id)) broken.push(at);
    }
    return broken;
  });
}

const hosts = (count: number, first = 1) => Array.from({ length: count }, (_, at) => first + at);

test("every entry of a table in use names a backend while backends come and go, the table grows and shrinks, and the selection changes", () => {
  let [broken, step] = [[] as number[], 0];
  const maps = observedMaps(() => {
    if (step++ % 50 === 0 && broken.length === 0) broken = brokenEntries(maps, step / 50);
  });
  const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
  const table = () => maps.slots.entries().filter(([{ index }]) => index >= TABLE_FIRST).length;
  const history = [
    { selection: "Maglev", of: hosts(3), entries: 4093 },
    { selection: "Maglev", of: hosts(3, 2), entries: 4093 },
    { selection: "Maglev", of: hosts(1, 9), entries: 4093 },
    { selection: "Maglev", of: hosts(201), entries: 65_521 },
    { selection: "Maglev", of: hosts(2), entries: 4093 },
    { selection: undefined, of: hosts(2), entries: 0 },
    { selection: "Maglev", of: hosts(2), entries: 4093 },
    { selection: "Maglev", of: [], entries: 0 },
  ];
  for (const { selection, of, entries } of history) {
    expect(reconciler.sync(compiler.compile(snapshot(selection, of)).maps)).toMatchObject({ problems: [], pending: 0 });
    expect(broken, `${selection} with ${of.length}`).toEqual([]);
    expect(table()).toBe(entries);
  }
  expect(step).toBeGreaterThan(50_000);
});

test("of a table, only what changes is written when a backend goes", () => {
  const maps = observedMaps(() => {});
  const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
  reconciler.sync(compiler.compile(snapshot("Maglev", hosts(10))).maps);
  const { written } = reconciler.sync(compiler.compile(snapshot("Maglev", hosts(9))).maps);
  expect(written).toBeGreaterThan(400);
  expect(written).toBeLessThan(600);
});

test("tables that are too large, or an unknown word, leave the choice to chance and are reported", () => {
  const compiler = new Compiler();
  for (const [selection, of] of [
    ["Maglev", hosts(3277)],
    ["maglev", hosts(2)],
  ] as const) {
    const { maps, problems } = compiler.compile(snapshot(selection, of));
    expect(entriesOf(maps.frontends).map(({ value }) => value.tableSize)).toEqual([0, 0]);
    expect(problems).toMatchObject([{ path: "metadata.annotations[ebpf-dataplane.io/backend-selection]" }]);
  }
});
