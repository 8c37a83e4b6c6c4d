import { describe, expect, it } from "vitest";
import { isDisturbed, takenLimit } from "./disturbance.ts";

const round = (takenShare: number, failedConnections = 0) => ({ takenShare, failedConnections });

describe("a disturbed round", () => {
  it("is one with failed connections, or with more time taken away than from others", () => {
    const limit = takenLimit([round(0), round(0.01), round(0.3)]);
    expect(limit).toBe(0.1);
    expect(isDisturbed(round(0.1), limit)).toBe(false);
    expect(isDisturbed(round(0.11), limit)).toBe(true);
    expect(isDisturbed(round(0, 1), limit)).toBe(true);
  });

  it("is judged by its peers where time is taken all along: the quieter half is used", () => {
    const rounds = [0.15, 0.2, 0.3, 0.6, 0.7].map((share) => round(share));
    const limit = takenLimit(rounds);
    expect(limit).toBe(0.3);
    expect(rounds.filter((one) => !isDisturbed(one, limit))).toHaveLength(3);
  });

  it("cannot be told without rounds", () => expect(takenLimit([])).toBe(0.1));
});
