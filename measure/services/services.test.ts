import { describe, expect, it } from "vitest";
import { latencyBetween, longestBlockMs } from "./agent-metrics.ts";
import type { FullRun } from "./full.ts";
import { goalsOf } from "./goals.ts";
import type { Measured } from "./measure.ts";
import { planScale, sampleOf } from "./plan.ts";
import { summarize } from "./summary.ts";
import { PATIENCE, type Unanswered, unlessUnanswered } from "./unanswered.ts";
import { NotAnswered } from "./watcher.ts";

describe("planScale()", () => {
  it("goes to thirty thousand services, quick to a thousand, and measures many endpoints at one of the numbers", () => {
    expect(planScale({ quick: false }).counts).toEqual([1, 1000, 10_000, 30_000]);
    expect(planScale({ quick: false }).full).toMatchObject({ services: 10_000, endpoints: 10, changes: 200 });
    expect(planScale({ quick: true }).counts.at(-1)).toBe(1000);
    expect(planScale({ quick: true }).full.services).toBe(1000);
    expect(planScale({ quick: true, counts: [1, 3], rounds: 2 })).toMatchObject({ counts: [1, 3], rounds: 2 });
  });
});

describe("sampleOf()", () => {
  it("takes the first, the newest, and what lies evenly between", () => {
    expect(sampleOf(1)).toEqual([1]);
    expect(sampleOf(3)).toEqual([1, 2, 3]);
    expect(sampleOf(10_000)).toHaveLength(8);
    expect([sampleOf(10_000)[0], sampleOf(10_000).at(-1)]).toEqual([1, 10_000]);
  });
});

describe("summarize()", () => {
  const mode = (name: Measured["mode"], services: number, medianUs: number, failed = 0): Measured => ({
    mode: name,
    services,
    loadSeconds: 2,
    programmingSeconds: [0.3, 0.1, 0.2],
    rounds: Array.from({ length: 7 }, (_, round) => ({ medianUs: medianUs + round / 10, takenShare: 0, failed })),
  });

  it("tells who grew, and who is faster at the same number", () => {
    const measured = [
      mode("KubeProxyIptables", 1, 200),
      mode("Ebpf", 1, 150),
      mode("KubeProxyIptables", 10_000, 400),
      mode("Ebpf", 10_000, 150),
    ];
    const { points, ratios, verdict } = summarize(measured);
    expect(points[0]).toMatchObject({ services: 1, programmingSeconds: 0.2, rounds: 7, disturbedRounds: 0 });
    expect(ratios.map(({ of, to, difference }) => `${of} / ${to}: ${difference}`)).toEqual([
      "Ebpf with 1 services / KubeProxyIptables with 1 services: less",
      "KubeProxyIptables with 10000 services / KubeProxyIptables with 1 services: more",
      "Ebpf with 10000 services / KubeProxyIptables with 10000 services: less",
      "Ebpf with 10000 services / Ebpf with 1 services: no difference",
    ]);
    expect(verdict).toMatch(/KubeProxyIptables 2\.00× .*; Ebpf shows no difference, 1\.00×/);
  });

  it("leaves out a mode whose connections failed", () => {
    expect(summarize([mode("Ebpf", 1, 100, 3)]).points).toEqual([]);
  });
});

describe("longestBlockMs()", () => {
  const scrape = (min: number, max: number) =>
    `nodejs_eventloop_lag_seconds 0.001\nnodejs_eventloop_lag_min_seconds ${min}\nnodejs_eventloop_lag_max_seconds ${max}\n`;

  it("is how late the loop was, without the time between two measurements", () => {
    expect(longestBlockMs([scrape(0.1, 0.13), scrape(0.1, 0.101)])).toBeCloseTo(30);
    expect(longestBlockMs([scrape(0.01, 0.04)])).toBeCloseTo(30);
  });

  it("is nothing where nothing was measured since the last scrape", () => {
    expect(longestBlockMs([scrape(9223372036.854776, 0)])).toBe(0);
  });
});

describe("latencyBetween()", () => {
  const scrape = (fast: number, slow: number) =>
    [
      ["bucket", 'le="0.02",kind="EndpointSlice"', fast],
      ["bucket", 'le="0.05",kind="EndpointSlice"', fast + slow],
      ["bucket", 'le="+Inf",kind="EndpointSlice"', fast + slow],
      ["sum", 'kind="EndpointSlice"', fast * 0.01 + slow * 0.04],
      ["count", 'kind="EndpointSlice"', fast + slow],
      ["count", 'kind="Pod"', 7],
    ]
      .map(([part, labels, value]) => `ebpf_dataplane_programming_seconds_${part}{${labels}} ${value}`)
      .join("\n");

  it("counts the changes between two scrapes, and names the bucket that holds 99 of 100", () => {
    expect(latencyBetween(scrape(10, 50), scrape(210, 50))).toEqual({
      count: 200,
      p99Ms: 20,
      meanMs: expect.closeTo(10),
    });
    expect(latencyBetween(scrape(0, 0), scrape(97, 3))).toMatchObject({ count: 100, p99Ms: 50 });
  });
});

describe("unlessUnanswered()", () => {
  const size = { services: 3, endpoints: 4 };
  const late = async () => {
    throw new NotAnswered("1 of 3 services did not answer");
  };

  it("notes a kube-proxy that did not answer, and goes on", async () => {
    const all: Unanswered[] = [];
    expect(await unlessUnanswered({ mode: "KubeProxyIptables", ...size }, "no-such-lab", all, late)).toEqual([]);
    expect(all).toEqual([{ mode: "KubeProxyIptables", ...size, seconds: PATIENCE }]);
  });

  it("ends the measurement where ours did not answer, and for every other failure", async () => {
    const all: Unanswered[] = [];
    await expect(unlessUnanswered({ mode: "Ebpf", ...size }, "no-such-lab", all, late)).rejects.toThrow(NotAnswered);
    const fails = () => Promise.reject(new Error("no disk"));
    await expect(unlessUnanswered({ mode: "KubeProxyNftables", ...size }, "no-such-lab", all, fails)).rejects.toThrow(
      "no disk",
    );
    expect(all).toEqual([]);
  });
});

const fullRun: FullRun = {
  services: 1000,
  endpoints: 10,
  coldSeconds: [
    { mode: "KubeProxyIptables", seconds: 9 },
    { mode: "KubeProxyNftables", seconds: 8 },
    { mode: "Ebpf", seconds: 6 },
  ],
  changes: { count: 50, p99Ms: 20, meanMs: 8 },
  churned: 1500,
  cpuSeconds: [
    { mode: "KubeProxyIptables", seconds: 10 },
    { mode: "KubeProxyNftables", seconds: 8 },
    { mode: "Ebpf", seconds: 2 },
  ],
  memoryMiB: 150,
  longestBlockMs: 70,
};

describe("goalsOf()", () => {
  it("judges each figure, with kube-proxy's beside it", () => {
    const goals = goalsOf({ measured: [], full: fullRun, unanswered: [] });
    expect(goals.map(({ value, goal, met }) => [value, goal, met])).toEqual([
      [6, 5, false],
      [20, 50, true],
      [0.25, 0.5, true],
      [70, 50, false],
      [150, 250, true],
    ]);
    expect(goals[2]?.beside).toBe("2.0 s; iptables 10.00 s, nftables 8.00 s");
    const cheaper = (cpuSeconds: FullRun["cpuSeconds"]) =>
      goalsOf({ measured: [], full: { ...fullRun, cpuSeconds }, unanswered: [] })[2];
    const [iptables, , ours] = fullRun.cpuSeconds;
    expect(cheaper([iptables, ours] as FullRun["cpuSeconds"])).toMatchObject({ value: 0.2, met: true });
    expect(cheaper([ours] as FullRun["cpuSeconds"])).toMatchObject({ value: Number.NaN, met: false });
  });

  it("takes growth only where a mode has a figure with the most services", () => {
    const of = (mode: Measured["mode"], services: number, medianUs: number): Measured => ({
      mode,
      services,
      loadSeconds: 1,
      programmingSeconds: [0.1],
      rounds: Array.from({ length: 7 }, () => ({ medianUs, takenShare: 0, failed: 0 })),
    });
    const measured = [
      of("KubeProxyIptables", 1, 100),
      of("Ebpf", 1, 100),
      of("KubeProxyIptables", 10, 150),
      of("Ebpf", 10, 105),
      of("Ebpf", 99, 108),
    ];
    const growth = goalsOf({ measured, full: fullRun, unanswered: [] })[0];
    expect(growth).toMatchObject({ value: 1.08, met: true, beside: "iptables not known, nftables not known" });
  });
});
