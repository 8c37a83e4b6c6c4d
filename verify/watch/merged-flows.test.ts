import { expect, test } from "vitest";
import type { Flow } from "../../agent/observe/events/flow.ts";
import { MergedFlows } from "./merged-flows.ts";

const base = { time: "2026-01-02T03:04:05.678Z", protocol: "TCP", verdict: "opened" } as const;
const client = { address: "172.31.1.55", port: 40_001 };
const entry: Flow = {
  ...base,
  node: "master",
  client,
  to: { address: "172.31.1.8", port: 30_604 },
  service: "default/web",
  backend: { address: "10.244.1.2", port: 80 },
  role: "entry",
};
const backend: Flow = { ...entry, node: "node", role: "backend" };
const pod = { address: "10.244.1.9", port: 50_000 };
const socket: Flow = {
  ...base,
  node: "node",
  to: { address: "10.96.0.10", port: 53 },
  service: "kube-system/dns",
  backend: { address: "10.244.0.3", port: 53 },
  socket: true,
};
const sender: Flow = { ...base, node: "node", client: pod, to: { address: "10.244.0.3", port: 53 } };
const receiver: Flow = { ...sender, node: "master", time: "2026-01-02T03:04:05.679Z" };

function merge(...flows: Flow[]) {
  const together = new MergedFlows();
  const all = flows.map((flow) => together.add(flow, 0));
  return all.filter(({ first }) => first).map(({ merged }) => merged);
}

test.each([
  ["in order", [entry, backend]],
  ["the backend's node first", [backend, entry]],
])("a connection over two nodes is one, from where it enters: %s", (_, flows) => {
  expect(merge(...flows)).toEqual([{ at: 0, flow: entry, nodes: ["master", "node"] }]);
});

test.each([
  ["in order", [socket, sender, receiver]],
  ["the receiver's node first", [receiver, socket, sender]],
  ["the socket last", [sender, receiver, socket]],
])("a pod's connection to a service is one, with the pod, the service and the backend: %s", (_, flows) => {
  const [merged, ...more] = merge(...flows);
  expect(more).toEqual([]);
  expect(merged?.nodes).toEqual(["node", "master"]);
  expect(merged?.flow).toMatchObject({
    client: pod,
    service: "kube-system/dns",
    to: socket.to,
    backend: socket.backend,
  });
});

test("two pods that ask for one service are two", () => {
  const other = { ...sender, client: { ...pod, port: 50_001 } };
  expect(merge(socket, socket, sender, other).map(({ flow }) => flow.client?.port)).toEqual([50_000, 50_001]);
});

test("refused packets are not merged, and a much later event is another connection", () => {
  const refused: Flow = { ...entry, verdict: "dropped", reason: "drop_policy_ingress" };
  expect(merge(refused, refused)).toHaveLength(2);
  const together = new MergedFlows();
  together.add(entry, 0);
  expect(together.add(backend, 60_000).first).toBe(true);
});
