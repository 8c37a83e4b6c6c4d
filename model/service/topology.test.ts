import { expect, test } from "vitest";
import { type Hints, hintsOf, nearby } from "./topology.ts";

const here = { facts: { nodeName: "node" } as never, zone: "a" };
const zones = (...names: string[]) => ({
  addresses: [],
  hints: { forZones: names.map((name) => ({ name })), forNodes: [] },
});
const backend = (name: string, hints: Hints = {}, ready = true) => ({ name, hints, ready });
const names = (...backends: ReturnType<typeof backend>[]) => nearby(backends).map(({ name }) => name);

const near = { zone: "this" } as const;
const far = { zone: "others" } as const;

test("hints are read as seen from this node", () => {
  expect(hintsOf({ addresses: [] }, here)).toEqual({});
  expect(hintsOf(zones("b", "a"), here)).toEqual({ zone: "this" });
  expect(hintsOf(zones("b"), here)).toEqual({ zone: "others" });
  expect(hintsOf(zones("a"), { ...here, zone: undefined })).toEqual({ zone: "others" });
  const both = { forZones: [{ name: "a" }], forNodes: [{ name: "master" }] };
  expect(hintsOf({ addresses: [], hints: both }, here)).toEqual({ zone: "this", node: "others" });
});

test("backends of this zone are chosen, unless a ready one has no hint or none is meant for here", () => {
  expect(names(backend("1", near), backend("2", far))).toEqual(["1"]);
  expect(names(backend("1", near), backend("2", far), backend("3"))).toEqual(["1", "2", "3"]);
  expect(names(backend("1", far), backend("2", far))).toEqual(["1", "2"]);
  expect(names(backend("1", near), backend("2", far), backend("3", {}, false))).toEqual(["1"]);
  expect(names(backend("1", near, false), backend("2", far))).toEqual(["1", "2"]);
});

test("backends for this node go before those of its zone, which go before all", () => {
  const onNode = { node: "this", zone: "this" } as const;
  const onOther = { node: "others", zone: "this" } as const;
  expect(names(backend("1", onNode), backend("2", onOther), backend("3", { ...far, node: "others" }))).toEqual(["1"]);
  expect(names(backend("2", onOther), backend("3", { ...far, node: "others" }))).toEqual(["2"]);
  expect(names(backend("1", onNode), backend("2", near), backend("3", far))).toEqual(["1", "2"]);
  expect(names(backend("3", { ...far, node: "others" }))).toEqual(["3"]);
});
