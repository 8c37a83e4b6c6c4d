import fc from "fast-check";
import { expect, test } from "vitest";
import { pod } from "../objects/core.ts";
import { PeerCounts } from "./peer-counts.ts";
import { SelectorIndex } from "./selector-index.ts";
import { podAsSubject } from "./who.ts";
import { podsAcross, podsIn } from "./workload-selector.ts";

const podOf = (namespace: string, labels: Record<string, string>, name = "a") =>
  pod.parse({
    ...{ metadata: { name, namespace, labels }, spec: { containers: [] } },
    status: { phase: "Running", podIPs: [{ ip: "10.244.0.1" }] },
  });
const all = { matchExpressions: [] };
const app = (value: string) => ({ matchLabels: { app: value }, matchExpressions: [] });
const SELECTORS = [
  ...[podsAcross(all, all), podsAcross(all, app("a")), podsIn("x", all), podsIn("x", app("b"))],
  podsAcross({ matchLabels: { "kubernetes.io/metadata.name": "y" }, matchExpressions: [] }, all),
];

test("pods with the same labels count once, until the last of them is gone", () => {
  const counts = new PeerCounts();
  const [one, other, third] = [podOf("x", { app: "a" }), podOf("x", { app: "a" }, "b"), podOf("y", { app: "a" })];
  const said = () => SELECTORS.map((selector) => counts.comparisons(selector));
  counts.update([one, other, third], []);
  expect(said()).toEqual([2, 2, 1, 1, 1]);
  counts.update([other, third], []);
  expect(said()).toEqual([2, 2, 1, 1, 1]);
  counts.update([], [{ who: { kind: "networkSet", labels: { app: "a" }, namespace: "y" }, cidrs: [] }]);
  expect(said()).toEqual([1, 1, 1, 1, 1]);
});

test("the network sets of one namespace cost others' selectors so much and no more; pods without addresses nothing", () => {
  const counts = new PeerCounts();
  const waiting = pod.parse({
    metadata: { name: "a", namespace: "x", labels: { app: "a" } },
    spec: { containers: [] },
  });
  const sets = (namespace: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      who: { kind: "networkSet" as const, labels: { app: "a", at: `${at}` }, namespace },
      cidrs: [],
    }));
  const everybody = podsAcross(all, all);
  const [many, few] = [sets("greedy", 5000), sets("modest", 10)];
  const said = () => [everybody, podsAcross(all, app("a"))].map((one) => counts.comparisons(one));
  counts.update([waiting], many);
  expect(said()).toEqual([1024, 1024]);
  counts.update([waiting, podOf("x", {})], [...many, ...few]);
  expect(said()).toEqual([1035, 1034]);
  counts.update([waiting], [...many.slice(4000), ...few]);
  expect(said()).toEqual([1010, 1010]);
  counts.update([], few);
  expect(said()).toEqual([10, 10]);
});

test("long selectors cost more", () => {
  const counts = new PeerCounts();
  counts.update([podOf("x", {}), podOf("y", {})], []);
  const values = Array.from({ length: 1000 }, (_, at) => `value-${at}`);
  const long = podsAcross(all, { matchExpressions: [{ key: "k", operator: "NotIn", values }] });
  expect(counts.comparisons(long)).toBe(2 * (1 + Math.floor(long.text.length / 64)));
});

test("whatever came and went, no selector is compared with more peers than are counted", () => {
  const labels = fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("a", "b"));
  const pods = fc.array(fc.tuple(fc.constantFrom("x", "y"), labels), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(pods, { minLength: 1, maxLength: 5 }), (versions) => {
      const counts = new PeerCounts();
      let last: ReturnType<typeof podOf>[] = [];
      for (const version of versions) {
        last = [...last.slice(1), ...version.map(([namespace, own]) => podOf(namespace, own))];
        counts.update(last, []);
      }
      const anew = new PeerCounts();
      anew.update(last, []);
      const known = new Set(last.map(({ metadata }) => JSON.stringify([metadata.namespace, metadata.labels])));
      const peers = [...known].map((text) => JSON.parse(text) as [string, Record<string, string>]);
      for (const selector of SELECTORS) {
        expect(counts.comparisons(selector)).toBe(anew.comparisons(selector));
        let compared = 0;
        const counting = { ...selector, selects: () => ++compared > 0 };
        const index = new SelectorIndex([counting], (one) => one);
        for (const [namespace, own] of peers) index.of(podAsSubject(podOf(namespace, own), undefined));
        expect(Math.max(1, compared)).toBe(counts.comparisons(selector));
      }
    }),
  );
});
