import { expect, test, vi } from "vitest";
import { Health } from "./observe/health.ts";
import { Watchdog } from "./watchdog.ts";

test("what fails now and then ends nothing; what fails for long makes the node not ready, until it works again", () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  const log = { error: (line: string) => void lines.push(line), info: (line: string) => void lines.push(line) };
  const health = new Health(() => Date.now());
  health.isReady();
  let broken = false;
  const work = () => {
    if (broken) throw new Error("Cannot attach to ebpf1 ingress: EIO: i/o error.");
  };
  const timer = new Watchdog(health, log as never).regularly("look at the machine again", 10_000, work);
  try {
    vi.advanceTimersByTime(20_000);
    broken = true;
    vi.advanceTimersByTime(30_000);
    expect(health.reasons()).toEqual([]);
    vi.advanceTimersByTime(20_000);
    expect(health.reasons()).toEqual([
      "the agent cannot look at the machine again: Cannot attach to ebpf1 ingress: EIO: i/o error.",
    ]);
    broken = false;
    vi.advanceTimersByTime(10_000);
    expect(health.reasons()).toEqual([]);
    expect(lines).toEqual([
      "cannot look at the machine again: Cannot attach to ebpf1 ingress: EIO: i/o error.",
      "no longer: cannot look at the machine again",
    ]);
  } finally {
    clearInterval(timer);
    vi.useRealTimers();
  }
});
