import { expect, test } from "vitest";
import { finish } from "../steps.ts";
import { type Backend, backendAt } from "./backend.ts";
import { type BackendList, clusterList, localList, withDraining } from "./backend-lists.ts";
import type { Hints } from "./topology.ts";

const ready = { ready: true, servingTerminating: false };
const ending = { ready: false, servingTerminating: true };

function backend(text: string, local: boolean, conditions: typeof ready, hints: Hints = {}, weight = 1): Backend {
  const standing = { port: 80, protocol: 6, local, hostNetwork: false, ...conditions, draining: false, hints, weight };
  return backendAt(text, "::", standing).backend;
}

/** [what traffic policy Local may choose, what everything else may choose] */
function choices({ places, localCount, clusterFirst }: BackendList): [string[], string[]] {
  const texts = places.map(({ address }) => address);
  return [texts.slice(0, localCount), texts.slice(clusterFirst)];
}

test("a terminating backend here is for the traffic policy Local only while others are ready", () => {
  const all = [backend("ending", true, ending), backend("far", false, ready)];
  const cluster = clusterList("web", all);
  expect(choices(cluster)).toEqual([[], ["far"]]);
  expect(choices(localList(cluster, all))).toEqual([["ending"], ["far"]]);
  const last = [backend("ending", true, ending), backend("other", false, ending)];
  expect(choices(localList(clusterList("web", last), last))).toEqual([["ending"], ["ending", "other"]]);
});

test("the traffic policy Local follows no hints; a backend that hints leave out keeps its connections", () => {
  const all = [
    backend("here, for others", true, ready, { zone: "others" }),
    backend("here", true, ready, { zone: "this" }),
    backend("near", false, ready, { zone: "this" }),
    backend("far", false, ready, { zone: "others" }),
    backend("ending", false, ending),
  ];
  const list = clusterList("web", all);
  expect(choices(list)).toEqual([
    ["here, for others", "here"],
    ["here", "near"],
  ]);
  expect(localList(list, all)).toBe(list);
  expect(list.kept.map(({ address }) => address)).toEqual(["far"]);
  const draining = finish(withDraining(all, [list])).filter((one) => one.draining);
  expect(draining.map(({ address }) => address)).toEqual(["ending"]);
});

const weighing = (text: string, weight: number, local = false, hints: Hints = {}, conditions = ready) =>
  backend(text, local, conditions, hints, weight);

test("a backend has as many places as it weighs, in both ranges", () => {
  const all = [weighing("a", 20, true), weighing("b", 10), weighing("c", 10, true)];
  const list = clusterList("web", all);
  expect(choices(list)).toEqual([
    ["a", "a", "c"],
    ["a", "a", "c", "b"],
  ]);
  expect(list.backends.map(({ address }) => address)).toEqual(["a", "c", "b"]);
  expect(localList(list, all)).toBe(list);
});

test.each<[string, readonly Backend[], [string[], string[]], string[]]>([
  ["one that weighs nothing keeps what it has", [weighing("a", 0), weighing("b", 1)], [[], ["b"]], ["a"]],
  ["all of them weigh nothing: all are chosen", [weighing("a", 0), weighing("b", 0)], [[], ["a", "b"]], []],
  [
    "the only one here weighs nothing: the traffic policy Local has no other",
    [weighing("a", 0, true), weighing("b", 3), weighing("c", 1)],
    [["a"], ["b", "b", "b", "c"]],
    [],
  ],
  [
    "the only near one weighs nothing: hints leave no other",
    [weighing("a", 0, true, { zone: "this" }), weighing("b", 2, true, { zone: "others" })],
    [["b"], ["a"]],
    [],
  ],
  [
    "one that terminates weighs nothing while others are ready",
    [weighing("a", 5, false, {}, ending), weighing("b", 0)],
    [[], ["b"]],
    [],
  ],
])("%s", (_, all, chosen, kept) => {
  const list = clusterList("web", all);
  expect(choices(list)).toEqual(chosen);
  expect(list.kept.map(({ address }) => address)).toEqual(kept);
  expect(new Set(list.places)).toEqual(new Set(list.backends));
});

test("of terminating ones here, those that weigh something serve the traffic policy Local", () => {
  const all = [
    weighing("a", 0, true, {}, ending),
    weighing("b", 2, true, {}, ending),
    weighing("c", 1, true, {}, ending),
    weighing("far", 1),
  ];
  const list = localList(clusterList("web", all), all);
  expect(choices(list)).toEqual([["b", "b", "c"], ["far"]]);
});
