import { expect, test } from "vitest";
import type { Flow } from "../../../agent/observe/events/flow.ts";
import { FlowMap } from "./flow-map.ts";

const web = { address: "10.244.0.2", port: 80, name: "pod shop/web-6d4cf56db6-x7k2p", workload: "web" };
const client = { address: "172.31.1.55", port: 40_001, name: "machine client1" };
const fromClient: Flow = {
  ...{ time: "2026-01-02T03:04:05.678Z", node: "master", protocol: "TCP", verdict: "opened", role: "entry" },
  ...{ client, service: "shop/web:http", backend: web },
  to: { address: "172.31.1.8", port: 30_604, name: "service shop/web:http" },
};
const pg = { address: "10.244.1.3", port: 5432, name: "pod db/pg-0", workload: "pg" };
const socket: Flow = {
  ...{ time: "2026-01-02T03:04:06.000Z", node: "node", protocol: "TCP", verdict: "opened", socket: true },
  ...{ service: "db/pg", backend: pg, to: { address: "10.96.0.9", port: 5432, name: "service db/pg" } },
};
const { socket: _, service: __, backend: ___, ...rest } = socket;
const packets: Flow = { ...rest, client: { ...web, port: 40_002 }, to: pg };

test("a connection over two nodes is one, of workloads by their names", () => {
  const map = new FlowMap();
  map.add(fromClient, 0);
  map.add({ ...fromClient, node: "node", role: "backend" }, 1);
  const { edges, flows } = map.snapshot("title");
  const edge = { from: "client1", to: "shop/web:http", service: true, backends: ["shop/web"], opened: 1, refused: 0 };
  expect(edges).toEqual([edge]);
  expect(flows).toMatchObject([{ nodes: "master > node", from: "client1", backend: "shop/web" }]);
});

test("a socket whose packets come later is counted once, under who it was", () => {
  const map = new FlowMap();
  map.add(socket, 0);
  expect(map.snapshot("").edges).toMatchObject([{ from: "a socket", to: "db/pg", opened: 1 }]);
  map.add(packets, 1);
  expect(map.snapshot("").edges).toEqual([
    { from: "shop/web", to: "db/pg", service: true, backends: ["db/pg"], opened: 1, refused: 0 },
  ]);
});

test("what is refused is told with the policy, and what a Log rule saw is neither opened nor refused", () => {
  const map = new FlowMap();
  const rule = "no rule of NetworkPolicy shop/web allows it (end of tier default)";
  map.add({ ...fromClient, verdict: "dropped", reason: "drop_policy_ingress", rule }, 0);
  map.add({ ...fromClient, verdict: "logged", rule: "tier a, GlobalNetworkPolicy audit, ingress rule 1" }, 0);
  const { edges, drops, flows } = map.snapshot("");
  expect(edges).toMatchObject([{ opened: 0, refused: 1, why: "shop/web (tier default)" }]);
  expect(drops).toMatchObject([{ refused: true, why: "shop/web (tier default)" }]);
  expect(flows.map(({ why }) => why)).toEqual(["audit rule 1 (tier a)", "shop/web (tier default)"]);
});

test("a scan fills neither the memory nor the page, and what goes on stays", () => {
  const map = new FlowMap();
  const { service: _, backend: __, ...direct } = fromClient;
  for (let host = 0; host < 3000; host++) {
    const to = { address: `10.1.${host >> 8}.${host & 255}`, port: host };
    map.add({ ...direct, to, verdict: "dropped", reason: "drop_unknown_endpoint" }, host);
    map.add({ ...fromClient, client: { ...client, port: host + 1 } }, host);
  }
  const { edges, flows, drops, forgotten } = map.snapshot("");
  expect([edges.length, flows.length, drops.length, forgotten]).toEqual([200, 100, 100, 2801]);
  expect(edges[0]).toMatchObject({ from: "client1", to: "shop/web:http", opened: 3000 });
});
