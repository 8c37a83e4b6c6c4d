import { expect, test } from "vitest";
import { podName } from "../cluster/view.ts";
import { podsOf } from "./behind.ts";
import type { Plan } from "./plan.ts";

const pod = (name: string, nodeName: string, ip: string, spec: object) => ({
  metadata: { name, namespace: "default" },
  spec: { nodeName, containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 8088 }] }], ...spec },
  status: { podIP: ip },
});
const node = (name: string, address: string) => ({
  metadata: { name },
  status: { addresses: [{ type: "InternalIP", address }] },
});
const view = {
  nodes: [node("master", "172.31.1.8"), node("node", "172.31.1.207")],
  pods: [
    pod("web", "node", "10.244.0.66", {}),
    pod("far", "master", "10.244.0.2", {}),
    pod("host", "node", "172.31.1.207", { hostNetwork: true }),
  ],
  services: [],
  endpointSlices: [],
  agentNamespace: "ebpf-dataplane",
};

const behind = (address: string, port: number) => {
  const plan = { destination: { host: { kind: "name" }, port }, probes: [] } as unknown as Plan;
  return podsOf(view, plan, { id: "0", attempt: 1, address } as Parameters<typeof podsOf>[2]).map(podName);
};

test("behind a node's host port is its pod, behind other ports its host-network pods", () => {
  expect(behind("172.31.1.207", 8088)).toEqual(["default/web"]);
  expect(behind("172.31.1.8", 8088)).toEqual(["default/far"]);
  expect(behind("172.31.1.207", 80)).toEqual(["default/host"]);
});
