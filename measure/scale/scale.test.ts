import { describe, expect, it } from "vitest";
import type { Measured } from "./measure.ts";
import { planScale, sampleOf } from "./plan.ts";
import { summarize } from "./summary.ts";

describe("planScale()", () => {
  it("goes to ten thousand services, quick to a hundred", () => {
    expect(planScale({ quick: false }).counts).toEqual([1, 10, 100, 1000, 10_000]);
    expect(planScale({ quick: true }).counts.at(-1)).toBe(100);
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
