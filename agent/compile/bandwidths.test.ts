import { expect, test } from "vitest";
import { pod } from "../../model/objects/core.ts";
import { BANDWIDTH_SHIFT, Direction } from "../kernel/layout.gen.ts";
import { BandwidthCompiler, costOf } from "./bandwidths.ts";
import { entriesOf } from "./desired.ts";

const facts = { nodeName: "node" } as Parameters<BandwidthCompiler["of"]>[0]["facts"];
const podWith = (annotations: object, more: object = {}) =>
  pod.parse({
    metadata: { name: "web", namespace: "shop", uid: "u1", annotations },
    spec: { nodeName: "node", containers: [], ...more },
    status: {},
  });
const endpoint = {
  ...{ namespace: "shop", pod: "web", uid: "u1", address: "10.244.0.2", ifindex: 7 },
  ...{ mac: "02:00:00:00:00:01", hostMac: "02:00:00:00:00:02" },
};
const both = { "kubernetes.io/ingress-bandwidth": "1M", "kubernetes.io/egress-bandwidth": "10M" };
const of = (annotations: object, more: object = {}, endpoints = [endpoint]) =>
  entriesOf(new BandwidthCompiler().of({ pods: [podWith(annotations, more)], endpoints, facts }));

test("BandwidthCompiler limits the interface of an annotated pod of this node, each direction by itself", () => {
  const entry = (direction: number, bits: number) => ({
    key: { interface: 7, direction },
    value: { cost: costOf(bits), due: 0n },
  });
  expect(of(both)).toEqual([entry(Direction.INGRESS, 1e6), entry(Direction.EGRESS, 10e6)]);
  expect(of({ "kubernetes.io/egress-bandwidth": "10M" })).toEqual([entry(Direction.EGRESS, 10e6)]);
  expect(of({ "kubernetes.io/egress-bandwidth": "fast" })).toEqual([]);
  expect(of(both, { nodeName: "other" })).toEqual([]);
  expect(of(both, {}, [])).toEqual([]);
  expect(of(both, {}, [{ ...endpoint, uid: "an-earlier-one" }])).toEqual([]);
});

test("costOf() is the time of a byte, with room for the largest packet at the lowest rate", () => {
  expect(Number(costOf(10e6)) / 2 ** BANDWIDTH_SHIFT).toBeCloseTo(800, 3);
  expect(costOf(1e15)).toBeGreaterThan(0n);
  expect(costOf(1000) * 8n * 65_536n).toBeLessThan(1n << 64n);
});
