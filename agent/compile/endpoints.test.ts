import { expect, test } from "vitest";
import { Compiler } from "./compile.ts";
import type { Contribution } from "./desired.ts";
import { changingPolicy, endpointAt, policyCluster } from "./policy-cluster.fixture.ts";

test("where a pod comes, the entries of the others' endpoints are the very same objects; where their policy changes, only what names it is made again", () => {
  const compiler = new Compiler();
  const cluster = policyCluster(30, 20);
  const first = cluster.endpoints.slice(0, -1);
  const before = compiler.compile({ ...cluster, endpoints: first }).maps;
  const after = compiler.compile(cluster).maps;
  const isKept = (one: readonly Contribution<never, never>[], other: readonly Contribution<never, never>[]) =>
    one.map((item) => other.includes(item));
  for (const map of ["endpoints", "interfaces"] as const) {
    expect(after[map]).toHaveLength(first.length + 1);
    expect(isKept(before[map] as never, after[map] as never)).toEqual(first.map(() => true));
  }
  const networkPolicies = [...cluster.networkPolicies.slice(0, -1), changingPolicy(7)];
  const changed = compiler.compile({ ...cluster, networkPolicies }).maps;
  const selected = cluster.endpoints.map((_, index) => index < 10);
  expect(isKept(after.endpoints as never, changed.endpoints as never)).toEqual(selected.map((one) => !one));
  expect(isKept(after.interfaces as never, changed.interfaces as never)).toEqual(selected.map(() => true));
});

test("an endpoint that has another interface has other entries", () => {
  const compiler = new Compiler();
  const cluster = policyCluster(3, 2);
  const before = compiler.compile(cluster).maps;
  const endpoints = [{ ...endpointAt(0), ifindex: 777 }, ...cluster.endpoints.slice(1)];
  const after = compiler.compile({ ...cluster, endpoints }).maps;
  expect(after.interfaces.map(({ entries }) => [...entries][0]?.key)).toEqual([777, 101, 102]);
  expect(after.endpoints.map((one) => before.endpoints.includes(one))).toEqual([false, true, true]);
});
