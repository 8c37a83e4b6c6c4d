import { expect, test } from "vitest";
import { defaultKey, NO_NAMES } from "../compile/desired.ts";
import { Direction, PolicyVerdict } from "../kernel/layout.gen.ts";
import { bySeries, OTHER_POLICIES } from "./policy-metrics.ts";

const { DENY, ALLOW } = PolicyVerdict;
const decision = (policy: number, rule: number, verdict: number) => ({
  policy,
  rule,
  direction: Direction.INGRESS,
  verdict,
});

test("denials are counted by rule or default, the rest by the policies that apply", () => {
  const names = {
    ...NO_NAMES,
    policies: new Map([
      [1, "NetworkPolicy shop/a"],
      [2, "NetworkPolicy shop/a"], // before it was changed
    ]),
    rules: new Map([[9, "tier security, GlobalNetworkPolicy deny-db, ingress rule 2"]]),
    defaults: new Map([[defaultKey(1, Direction.INGRESS), "end of tier default"]]),
  };
  const series = bySeries(
    [
      [decision(1, 0, ALLOW), 3],
      [decision(2, 0, ALLOW), 4],
      [decision(1, 9, DENY), 2],
      [decision(1, 0, DENY), 1],
    ],
    names,
  );
  expect(series.map(([{ policy, verdict }, flows]) => [policy, verdict, flows])).toEqual([
    ["NetworkPolicy shop/a", "allow", 7],
    ["tier security, GlobalNetworkPolicy deny-db, ingress rule 2", "deny", 2],
    ["end of tier default", "deny", 1],
  ]);
});

test("the least used series beyond the limit, and policies without a name, are added up", () => {
  const names = { ...NO_NAMES, policies: new Map([1, 2, 3].map((number) => [number, `policy ${number}`])) };
  const series = bySeries(
    [1, 2, 3, 4].map((number) => [decision(number, 0, ALLOW), number]),
    names,
    2,
  );
  expect(series.map(([{ policy }, flows]) => [policy, flows])).toEqual([
    [OTHER_POLICIES, 7],
    ["policy 3", 3],
  ]);
});
