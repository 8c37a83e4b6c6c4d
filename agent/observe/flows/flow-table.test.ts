import { expect, test } from "vitest";
import { withKey } from "./ends.ts";
import { FlowTable, type Observation } from "./flow-table.ts";

const pods = (namespace: string, workload: string) => withKey({ kind: "pods", namespace, workload });
const outside = (address: string) => withKey({ kind: "network", cidr: `${address}/32` });
const pg = pods("db", "pg");

const opened = (from: Observation["from"], port: number, to = pg): Observation => ({
  ...{ from, to, port, at: "both", protocol: "TCP", verdict: "allowed", connections: 1, time: 1000 },
});
const denied = (from: Observation["from"], port: number, to = pg): Observation => ({
  ...{ from, to, port, at: "destination", protocol: "TCP", verdict: "denied", packetsRefused: 1, time: 1000 },
});

const lines = (table: FlowTable) => table.take().map((one) => ({ ...one, from: withKey(one.from).key }));

test("connections of one flow are added up, with the first and the last time", () => {
  const table = new FlowTable(10);
  table.add(opened(pods("shop", "web"), 5432));
  table.add({ ...opened(pods("shop", "web"), 5432), time: 5000 });
  table.add(opened(pods("shop", "web"), 5433));
  expect(table.take()).toMatchObject([
    { port: 5432, connections: 2, first: 1000, last: 5000 },
    { port: 5433, connections: 1 },
  ]);
  expect(table.take()).toEqual([]);
});

test("a pod that scans all ports hides only its own flows, whenever it begins", () => {
  for (const scannerFirst of [true, false]) {
    const table = new FlowTable(100);
    const scan = () => {
      for (let port = 1; port <= 65_535; port++) table.add(opened(pods("evil", "scanner"), port));
    };
    const others = () => {
      for (let index = 0; index < 40; index++) table.add(opened(pods("shop", `web${index}`), 5432));
    };
    if (scannerFirst) scan();
    others();
    if (!scannerFirst) scan();
    expect(table.size).toBe(100);
    expect(table.summarised).toBe(65_535 - 60);
    const found = lines(table);
    expect(found.filter(({ from }) => from.includes('"shop"'))).toHaveLength(40);
    const rest = found.filter(({ others }) => others);
    expect(rest).toMatchObject([
      { from: pods("evil", "scanner").key, to: { kind: "others" }, connections: 65_535 - 60 },
    ]);
  }
});

test("a namespace with many workloads takes no room of another one, and inside it room is shared", () => {
  const table = new FlowTable(100);
  for (let index = 0; index < 40; index++)
    for (let port = 1; port <= 20; port++) table.add(opened(pods("evil", `scanner${index}`), port));
  for (let port = 1; port <= 30; port++) table.add(opened(pods("shop", "web"), port));
  table.add(opened(pods("evil", "honest"), 443));
  const found = lines(table);
  expect(found.filter(({ from, others }) => from.includes('"shop"') && !others)).toHaveLength(30);
  expect(found).toContainEqual(expect.objectContaining({ from: pods("evil", "honest").key, others: false }));
});

test("forged sources outside hide neither allowed flows from outside nor flows to other pods", () => {
  const table = new FlowTable(100);
  table.add(opened(outside("172.31.1.55"), 80));
  table.add(denied(outside("172.31.1.56"), 443, pods("shop", "web")));
  for (let index = 0; index < 5000; index++) table.add(denied(outside(`10.${index >> 8}.${index & 255}.1`), 80));
  table.add(denied(outside("172.31.1.57"), 443, pods("shop", "cart")));
  const found = lines(table);
  for (const address of ["172.31.1.55", "172.31.1.56", "172.31.1.57"])
    expect(found).toContainEqual(expect.objectContaining({ from: outside(address).key, others: false }));
  // Each sender's address is forged, so the rest has none.
  expect(found.filter(({ others }) => others)).toMatchObject([{ from: withKey({ kind: "others" }).key }]);
});

test("whatever comes, memory is bounded and every observation is counted once", () => {
  const table = new FlowTable(50);
  for (let index = 0; index < 20_000; index++) {
    const from = pods(`n${index % 97}`, `w${index % 1013}`);
    table.add(index % 3 === 0 ? denied(from, index % 65_536) : opened(from, index % 65_536));
  }
  expect(table.size).toBeLessThanOrEqual(50);
  const found = table.take();
  expect(found.length).toBeLessThan(50 * 3);
  const sum = found.reduce((total, { connections, packetsRefused }) => total + connections + packetsRefused, 0);
  expect(sum).toBe(20_000);
});
