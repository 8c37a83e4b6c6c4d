import { expect, test } from "vitest";
import { pod } from "../objects/core.ts";
import { ignoredAnnotations } from "../objects/ignored.ts";
import { WEIGHT, weightIn } from "../objects/weight.ts";
import { PodWeights, placesOf } from "./weights.ts";

const podAt = (ip: string, weight: string | undefined, more: { hostNetwork?: boolean; phase?: string } = {}) =>
  pod.parse({
    metadata: { name: ip, namespace: "shop", ...(weight !== undefined && { annotations: { [WEIGHT]: weight } }) },
    spec: { containers: [], hostNetwork: more.hostNetwork },
    status: { phase: more.phase ?? "Running", podIPs: [{ ip }] },
  });

test.each([
  [
    [1, 1, 1],
    [1, 1, 1],
  ],
  [
    [20, 10],
    [2, 1],
  ],
  [
    [100, 99],
    [100, 99],
  ],
  [
    [0, 6, 4],
    [1, 3, 2],
  ],
  [
    [0, 0],
    [1, 1],
  ],
  [[], []],
])("weights %j take the places %j", (weights, places) => {
  expect(placesOf(weights)).toEqual(places);
});

test("many backends of large weights take a bounded number of places, in nearly the same relation", () => {
  const weights = Array.from({ length: 3_000 }, (_, at) => (at % 2 ? 100 : 51));
  const places = placesOf(weights);
  expect(places.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(9 * 3_000 + 1_000);
  expect((places[1] ?? 0) / (places[0] ?? 0)).toBeCloseTo(100 / 51, 0);
  expect(Math.min(...placesOf(weights.map((weight, at) => (at === 0 ? 1 : weight))))).toBe(1);
});

test("weights are those of running pods with an address of their own", () => {
  const all = [
    podAt("10.244.0.2", "3"),
    podAt("fd00::2", "0"),
    podAt("10.244.0.4", undefined),
    podAt("172.31.1.8", "5", { hostNetwork: true }),
    podAt("10.244.0.2", "9", { phase: "Succeeded" }),
    podAt("10.244.0.5", "many"),
  ];
  const weights = new PodWeights();
  const found = weights.of(all);
  expect([...found]).toEqual([
    ["10.244.0.2", 3],
    ["fd00::2", 0],
  ]);
  expect(weights.of([...all, podAt("10.244.0.9", undefined)])).toBe(found);
  expect([...weights.of([podAt("10.244.0.2", "4")])]).toEqual([["10.244.0.2", 4]]);
});

test.each(["-1", "101", "1.5", "", "1e1", " 1", "0x1"])("%j is no weight, and the pod is told so", (text) => {
  expect(weightIn(text)).toBeUndefined();
  const [problem] = ignoredAnnotations("Pod", podAt("10.244.0.2", text).metadata);
  expect(problem).toMatchObject({ kind: "Pod", path: `metadata.annotations[${WEIGHT}]` });
  expect(problem?.message).toContain("a whole number from 0");
});
