import { describe, expect, it } from "vitest";
import { isDisturbed, stealLimit } from "./disturbance.ts";

const round = (stealShare: number, failedConnections = 0) => ({ stealShare, failedConnections });

describe("a disturbed round", () => {
  it("is one with failed connections, or with more stolen time than others", () => {
    const limit = stealLimit([round(0), round(0.01), round(0.3)]);
    expect(limit).toBe(0.05);
    expect(isDisturbed(round(0.05), limit)).toBe(false);
    expect(isDisturbed(round(0.06), limit)).toBe(true);
    expect(isDisturbed(round(0, 1), limit)).toBe(true);
  });

  it("is judged by its peers where time is stolen all along: the quieter half is used", () => {
    const rounds = [0.1, 0.2, 0.3, 0.6, 0.7].map((share) => round(share));
    const limit = stealLimit(rounds);
    expect(limit).toBe(0.3);
    expect(rounds.filter((one) => !isDisturbed(one, limit))).toHaveLength(3);
  });

  it("cannot be told without rounds", () => expect(stealLimit([])).toBe(0.05));
});
