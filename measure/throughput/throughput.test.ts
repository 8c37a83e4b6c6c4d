import { describe, expect, it } from "vitest";
import type { MeasuredSeries, Path } from "./measure.ts";
import { expectedSeconds, planThroughput } from "./plan.ts";
import { parseBitsPerSecond } from "./qperf.ts";
import { summarize } from "./summary.ts";

describe("planThroughput()", () => {
  it("measures both MTUs, both cables, small to large writes, one and many streams", () => {
    const { series } = planThroughput({ quick: false, vxlan: false });
    expect(new Set(series.map(({ mtu }) => mtu))).toEqual(new Set([1440, 8940]));
    expect(new Set(series.map(({ cable }) => cable))).toEqual(new Set(["Offloaded", "Cut"]));
    expect(Math.max(...series.map(({ streams }) => streams))).toBeGreaterThan(1);
    expect(series).toHaveLength(16);
  });

  it("keeps quick to what the goal speaks of, in about a minute", () => {
    const plan = planThroughput({ quick: true, vxlan: true });
    expect(plan.series.every(({ mtu, encapsulation }) => mtu === 1440 && encapsulation === "Vxlan")).toBe(true);
    expect(expectedSeconds(plan, 3)).toBeLessThan(60);
  });
});

describe("parseBitsPerSecond()", () => {
  it("reads qperf's unified units", () => {
    expect(parseBitsPerSecond("tcp_bw:\n    bw  =  1,234,567,890 bytes/sec\n")).toBe(9_876_543_120);
    expect(parseBitsPerSecond("tcp_bw:\n    bw  =  750.5 bytes/sec\n")).toBe(6004);
  });

  it("passes on what qperf says instead", () => {
    expect(() => parseBitsPerSecond("", "failed to connect\n")).toThrow("qperf gave no bandwidth: failed to connect");
  });
});

describe("summarize()", () => {
  const [series] = planThroughput({ quick: true, vxlan: false }).series;
  const cost: Record<Path, number> = { Linux: 0.1, Ebpf: 0.07, Floor: 0.05 };
  const measured = (rounds: number, taken = (_round: number) => 0): MeasuredSeries => ({
    series: series as MeasuredSeries["series"],
    samples: Array.from({ length: rounds }, (_, round) =>
      (["Linux", "Ebpf", "Floor"] as const).map((path) => ({
        path,
        round,
        gbitPerSecond: 10,
        cpuSecondsPerGbit: cost[path],
        ownCpuSecondsPerGbit: cost[path] + round / 1e4,
        takenShare: taken(round),
      })),
    ).flat(),
  });

  it("says the goal's figure with its interval", () => {
    const { runs, ratios, verdict } = summarize([measured(7)]);
    expect(runs.map(({ path, rounds }) => [path, rounds])).toEqual([
      ["Linux", 7],
      ["Ebpf", 7],
      ["Floor", 7],
    ]);
    expect(ratios.find(({ quantity }) => quantity === "ownCpuSecondsPerGbit")?.difference).toBe("less");
    expect(ratios.find(({ quantity }) => quantity === "gbitPerSecond")?.difference).toBe("no difference");
    expect(verdict).toMatch(/^eBPF against .* offloaded: 0\.70× \(0\.70 to 0\.70\) the CPU time per Gbit\.$/);
  });

  it("sets disturbed rounds aside and counts them", () => {
    const { runs } = summarize([measured(7, (round) => (round === 3 ? 0.5 : 0))]);
    expect(runs.every(({ rounds, disturbedRounds }) => rounds === 6 && disturbedRounds === 1)).toBe(true);
  });

  it("claims nothing from too few rounds", () => {
    expect(summarize([measured(3)]).verdict).toContain("no difference");
    expect(summarize([]).verdict).toContain("Nothing was measured");
  });
});
