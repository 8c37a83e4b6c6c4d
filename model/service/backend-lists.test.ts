import { expect, test } from "vitest";
import { finish } from "../steps.ts";
import { type BackendList, clusterList, localList, withDraining } from "./backend-lists.ts";
import type { Backend } from "./backends.ts";
import type { Hints } from "./topology.ts";

const ready = { ready: true, servingTerminating: false };
const ending = { ready: false, servingTerminating: true };

function backend(text: string, local: boolean, conditions: typeof ready, hints: Hints = {}): Backend {
  const place = { address: text, node: "::", port: 80, protocol: 6, hostNetwork: false, draining: false };
  return { name: { name: text, hash: 0 } as never, ...place, local, ...conditions, hints };
}

/** [what traffic policy Local may choose, what everything else may choose] */
function choices({ backends, localCount, clusterFirst }: BackendList): [string[], string[]] {
  const texts = backends.map(({ address }) => address);
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
