import { expect, test } from "vitest";
import { ipamBlock } from "../objects/calico.ts";
import { node, pod } from "../objects/core.ts";
import { grantOf, lenders, lentAddresses } from "./loans.ts";

const block = (cidr: string, on: string, spec: object = {}) =>
  ipamBlock.parse({ metadata: { name: `${on} ${cidr}` }, spec: { cidr, node: on, pool: "default", ...spec } });
const nodeOf = (name: string, ready = "True") =>
  node.parse({ metadata: { name }, status: { conditions: [{ type: "Ready", status: ready }] } });
const podAt = (ip: string, phase = "Running") =>
  pod.parse({ metadata: { name: ip }, spec: {}, status: { phase, podIPs: [{ ip }] } });

test("who has the most addresses left is asked first: ready nodes with a block of the pool, not this one", () => {
  const blocks = [
    block("10.1.0.0/30", "fuller"),
    block("10.1.0.4/30", "emptier"),
    block("10.1.0.8/31", "full"),
    block("10.1.1.0/24", "here"),
    block("10.1.2.0/24", "down"),
    block("10.1.3.0/24", "emptier", { pool: "other" }),
    block("10.1.0.0/30", "emptier", { borrows: "Any" }),
  ];
  const nodes = [...["fuller", "emptier", "full", "here"].map((name) => nodeOf(name)), nodeOf("down", "False")];
  const pods = ["10.1.0.0", "10.1.0.1", "10.1.0.5", "10.1.0.8", "10.1.0.9"].map((ip) => podAt(ip));
  const found = lenders("default", "here", {
    blocks,
    nodes,
    pods: [...pods, podAt("10.1.0.6", "Failed"), podAt("010.1.0.4")],
  });
  expect(found.map(({ metadata }) => metadata.name)).toEqual(["emptier 10.1.0.4/30", "fuller 10.1.0.0/30"]);
});

test("a request has what a block lends it of its own addresses, in the network that was asked for", () => {
  const lent = lentAddresses([
    { cidr: "10.1.0.0/30", lent: [{ address: "10.1.0.1", request: "a" }] },
    { cidr: "10.1.0.0/30", lent: [{ address: "10.1.0.9", request: "b" }] },
    { cidr: "10.1.0.0/30", borrows: "Any", lent: [{ address: "10.1.0.2", request: "c" }] },
  ]);
  const grant = (uid: string | undefined, cidr = "10.1.0.0/30") => grantOf({ uid, cidr }, lent);
  expect([grant("a"), grant("b"), grant("c"), grant(undefined)]).toEqual(["10.1.0.1", undefined, undefined, undefined]);
  expect(grant("a", "10.1.0.2/32")).toBeUndefined();
});

test("a lent address that is none is said with its path", () => {
  expect(() => block("10.1.0.0/30", "here", { lent: [{ address: "10.1.0", node: "there", request: "a" }] })).toThrow(
    "must be an address",
  );
});
