import { expect, test } from "vitest";
import { leftOutOf } from "./left-out.ts";
import { holds, readOutcome } from "./outcome.ts";
import { type Occasion, summaryOf } from "./summary.ts";

const occasion: Occasion = {
  begunAt: "2026-11-30T11:00:00.000Z",
  endedAt: "2026-11-30T11:21:00.000Z",
  kubernetes: "v1.35.0",
  kernel: "6.18.1",
  nodes: 2,
  commit: "eb3353613f16",
  processes: 6,
};
const services = { area: "[sig-network] Services [Slow]", seconds: 61.25 };
const lines = (...written: object[]) => written.map((line) => `${JSON.stringify(line)}\n`).join("");
const focus = "\\[sig-network\\]";
const leftOut = leftOutOf({ hasSctp: false, hasBalancerPool: true });
const complete = lines(
  { selected: 2 },
  { ...services, name: "[sig-network] Services should work", state: "passed" },
  { name: "[sig-network] SCTPConnectivity [Disruptive] works", state: "skipped" },
  { name: "[sig-network] SCTPConnectivity works", state: "skipped" },
  { name: "[sig-storage] Volumes [Serial] work", state: "skipped" },
  { ...services, name: "[sig-network] Services want zones", state: "skipped", reason: "Requires >= 3 zones\nmore" },
);

test("what ended, what skipped itself, and what was left out for which reason", () => {
  const outcome = readOutcome(complete, focus, leftOut);
  expect(outcome).toEqual({
    selected: 2,
    specs: [
      { area: "Services", name: "Services should work", state: "passed", seconds: 61.3 },
      { area: "Services", name: "Services want zones", state: "skipped", seconds: 61.3, reason: "Requires >= 3 zones" },
    ],
    // Nothing of another SIG, and each spec once.
    leftOut: [
      { why: "they restart kubelets and nodes by SSH", count: 1 },
      { why: "the kernel has no SCTP", count: 1 },
    ],
  });
  expect(holds(outcome)).toBe(true);
  expect(summaryOf(outcome, occasion)).toMatch(
    /^SKIP Services want zones: Requires >= 3 zones\nLEFT OUT 1 spec: they restart[^\n]*\nLEFT OUT 1 spec: the kernel has no SCTP\n┌[\s\S]*│ Services │ +1 │ +│ +1 │ +2 min │[\s\S]*\n1 passed, 0 failed, 1 skipped in 21 min, 6 at a time\n2026-11-30T11:21:00.000Z, Kubernetes v1.35.0, 2 nodes, Linux 6.18.1, ebpf-dataplane at eb3353613f16\n$/,
  );
});

test.each(["failed", "timedout", "panicked"])("a spec that %s is a failure with its reason", (state) => {
  const failing = { ...services, name: "[sig-network] Services should work", state, reason: "\n  no answer\nstack" };
  const outcome = readOutcome(lines({ selected: 1 }, failing), focus, leftOut);
  expect(holds(outcome)).toBe(false);
  expect(outcome.specs[0]).toMatchObject({ state: "failed", reason: expect.stringContaining("no answer") });
  expect(summaryOf(outcome, occasion)).toMatch(/^FAIL Services should work \(61 s\)\n +\S*.*no answer\n/);
});

test("what was running when the run was ended, or had not begun, is not run, and the result does not hold", () => {
  const cut = { ...services, name: "[sig-network] Services should work", state: "interrupted", reason: "Interrupted" };
  const outcome = readOutcome(`${complete.replace('"selected":2', '"selected":9')}${lines(cut)}`, focus, leftOut);
  expect(outcome.specs).toHaveLength(2);
  expect(holds(outcome)).toBe(false);
  expect(summaryOf(outcome, { ...occasion, endedEarly: "stopped by a signal" })).toMatch(
    /1 skipped, 7 not run in 21 min[\s\S]*The run is not complete: stopped by a signal\.\n/,
  );
});

test("a line that is still being written is not read, and a suite that did not begin does not hold", () => {
  expect(readOutcome(`${lines({ selected: 1 })}{"name": "[sig`, focus, leftOut)).toMatchObject({ specs: [] });
  expect(holds(readOutcome("", focus, leftOut))).toBe(false);
});

test("load balancers are asked where the cluster has addresses for them", () => {
  const reasons = (hasBalancerPool: boolean) => leftOutOf({ hasSctp: true, hasBalancerPool }).map(({ why }) => why);
  expect(reasons(false).join()).toContain("loadBalancerPools");
  expect(reasons(true).join()).not.toMatch(/loadBalancerPools|SCTP/);
});
