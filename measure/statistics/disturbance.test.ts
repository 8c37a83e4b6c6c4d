import { describe, expect, it } from "vitest";
import { type Quiet, quietest } from "./disturbance.ts";

type Round = Quiet & { kind: string };
const round = (takenShare: number, failedConnections = 0, kind = "a"): Round => ({
  takenShare,
  failedConnections,
  kind,
});
const judged = (rounds: Round[]) =>
  quietest(
    rounds,
    (one) => one,
    ({ kind }) => kind,
  );

describe("a disturbed round", () => {
  it("is one with failed connections, or with more time taken away than from others", () => {
    const [good, bad, failed] = [round(0.1), round(0.11), round(0, 1)];
    const { used, limit } = judged([round(0), good, bad, failed, round(0.3)]);
    expect(limit).toBe(0.1);
    expect(used).toContain(good);
    expect(used).not.toContain(bad);
    expect(used).not.toContain(failed);
  });

  it("is judged by its peers where time is taken all along: the quieter half is used", () => {
    const { used, limit } = judged([0.15, 0.2, 0.3, 0.6, 0.7].map((share) => round(share)));
    expect(limit).toBe(0.3);
    expect(used).toHaveLength(3);
  });

  it("never leaves a kind without rounds", () => {
    const { used, limit } = judged([round(0), round(0.01), round(0.5, 0, "b"), round(0.4, 0, "b")]);
    expect(used.map(({ kind }) => kind)).toEqual(["a", "a", "b"]);
    expect(limit).toBeCloseTo(0.45);
  });

  it("cannot be told without rounds", () => expect(judged([])).toEqual({ used: [], limit: 0.1 }));
});
