import { expect, test } from "vitest";
import { ipamBlock } from "../objects/calico.ts";
import { node, pod } from "../objects/core.ts";
import { blocksOfGoneNodes, isFreedBy } from "./gone-nodes.ts";

const block = (cidr: string, on: string) =>
  ipamBlock.parse({ metadata: { name: `${on} ${cidr}` }, spec: { cidr, node: on, pool: "default" } });
const nodeOf = (name: string, ready = "True") =>
  node.parse({ metadata: { name }, status: { conditions: [{ type: "Ready", status: ready }] } });
const podOn = (nodeName: string, ip: string, phase = "Running", hostNetwork = false) =>
  pod.parse({ metadata: { name: "p" }, spec: { nodeName, hostNetwork }, status: { phase, podIPs: [{ ip }] } });

const nodes = [nodeOf("here"), nodeOf("there"), nodeOf("down", "False")];
const blocks = [
  block("10.1.0.0/26", "here"),
  block("10.1.1.0/26", "gone"),
  block("fd00::/122", "gone"),
  block("10.1.2.0/26", "down"),
];
const freed = (...pods: ReturnType<typeof podOn>[]) =>
  blocksOfGoneNodes(blocks, nodes, pods).map(({ spec }) => spec.cidr);

test("blocks of nodes that do not exist are free; those of a node that is not ready are not", () => {
  expect(freed()).toEqual(["10.1.1.0/26", "fd00::/122"]);
});

test("a pod of the node keeps all of them, a pod with an address of one keeps that one", () => {
  expect(freed(podOn("gone", "192.0.2.1"))).toEqual([]);
  expect(freed(podOn("here", "10.1.1.63"))).toEqual(["fd00::/122"]);
  expect(freed(podOn("here", "10.1.1.64"))).toEqual(["10.1.1.0/26", "fd00::/122"]);
  expect(freed(podOn("gone", "10.1.1.1", "Succeeded"), podOn("here", "10.1.1.1", "Running", true))).toHaveLength(2);
});

test("a block of which another node borrows stays as long as that one asks for it, and a request goes with its node", () => {
  const lender = (lent: object[]) =>
    ipamBlock.parse({
      metadata: { name: "lender" },
      spec: { cidr: "10.1.1.0/26", node: "gone", pool: "default", lent },
    });
  const request = (on: string) =>
    ipamBlock.parse({
      metadata: { name: `request of ${on}`, uid: on },
      spec: { cidr: "10.1.1.0/26", node: on, pool: "default", borrows: "Any" },
    });
  const lent = (to: string) => [{ address: "10.1.1.7", node: to, request: to }];
  const free = (objects: ReturnType<typeof lender>[], ...pods: ReturnType<typeof podOn>[]) =>
    blocksOfGoneNodes(objects, nodes, pods).map(({ metadata }) => metadata.name);
  expect(free([lender(lent("here")), request("here")])).toEqual([]);
  expect(free([lender(lent("here"))])).toEqual(["lender"]);
  const toNobody = [lender(lent("nobody")), request("nobody")];
  expect(free(toNobody)).toEqual(["request of nobody"]);
  expect(free(toNobody, podOn("here", "10.1.1.8"))).toEqual(["request of nobody"]);
  expect(free(toNobody, podOn("here", "10.1.1.7"))).toEqual([]);
  expect(free([request("nobody")], podOn("here", "10.1.1.7"))).toEqual(["request of nobody"]);
});

test("one ready node frees an object, and they share the work", () => {
  const names = Array.from({ length: 40 }, (_, index) => `10-1-${index}-0-26`);
  const shares = names.map((name) =>
    nodes.filter(({ metadata }) => isFreedBy(metadata.name, name, nodes)).map(({ metadata }) => metadata.name),
  );
  expect(shares.every((share) => share.length === 1)).toBe(true);
  expect(new Set(shares.flat())).toEqual(new Set(["here", "there"]));
  expect(isFreedBy("here", "x", [])).toBe(false);
});
