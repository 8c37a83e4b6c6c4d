import { expect, test } from "vitest";
import type { Route } from "../compile/desired.ts";
import { endpointRequests } from "./endpoint-routes.ts";

const context = {
  ...{ nodeAddress: "172.31.1.8", mtu: 1500 },
  deviceName: (index: number) => (index > 0 ? `ebpf${index}` : undefined),
};
const pod = (last: number, ifindex = last): Route => ({ to: "endpoint", destination: `10.244.0.${last}/32`, ifindex });
const node: Route = { to: "node", destination: "10.244.1.0/26", node: "172.31.1.207", encapsulated: false };
const nowhere: Route = { to: "nowhere", destination: "10.244.0.0/26" };
const before = [nowhere, node, pod(5), pod(6)];
const leads = (...after: Route[]) => endpointRequests(before, after, context)?.map(({ what }) => what);

test("endpointRequests() asks for pods that came and went, whatever objects the others are", () => {
  expect(leads(...before.map((route) => ({ ...route })))).toEqual([]);
  expect(leads({ ...nowhere }, { ...node }, pod(6), pod(7))).toEqual([
    "add the route 10.244.0.7/32 to ebpf7",
    "delete the route 10.244.0.5/32 to ebpf5",
  ]);
});

test.each<[string, Route[]]>([
  ["a node's block is reached another way", [nowhere, { ...node, encapsulated: true }, pod(5), pod(6)]],
  ["by another node", [nowhere, { ...node, node: "172.31.1.9" }, pod(5), pod(6)]],
  ["by a router", [nowhere, { ...node, via: "172.31.1.1" }, pod(5), pod(6)]],
  ["a block is gone", [node, pod(5), pod(6)]],
  ["a pod's address is another interface's now", [nowhere, node, pod(5, 9), pod(6)]],
  ["a pod has the address of a block", [pod(0, 9), { ...nowhere, destination: "10.244.0.5/32" }, node, pod(6)]],
])("endpointRequests() leaves it to the comparison with the kernel where %s", (_, after) => {
  expect(leads(...after)).toBeUndefined();
});
