import { expect, test, vi } from "vitest";
import { Health } from "../observe/health.ts";
import { Watchdog } from "./watchdog.ts";

test("an occasional failure has no effect; one that lasts makes the node unready, until it is resolved", () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  const log = { error: (line: string) => void lines.push(line), info: (line: string) => void lines.push(line) };
  const health = new Health(() => Date.now());
  health.isReady();
  let broken = false;
  const work = () => {
    if (broken) throw new Error("Cannot attach to ebpf1 ingress: EIO: i/o error.");
  };
  const timer = new Watchdog(health, log as never).regularly("check the machine", 10_000, work);
  try {
    vi.advanceTimersByTime(20_000);
    broken = true;
    vi.advanceTimersByTime(30_000);
    expect(health.reasons()).toEqual([]);
    vi.advanceTimersByTime(20_000);
    expect(health.reasons()).toEqual([
      "the agent cannot check the machine: Cannot attach to ebpf1 ingress: EIO: i/o error.",
    ]);
    broken = false;
    vi.advanceTimersByTime(10_000);
    expect(health.reasons()).toEqual([]);
    expect(lines).toEqual([
      "cannot check the machine: Cannot attach to ebpf1 ingress: EIO: i/o error.",
      "resolved: cannot check the machine",
    ]);
  } finally {
    clearInterval(timer);
    vi.useRealTimers();
  }
});

test("work that takes a while fails when it ends", async () => {
  const lines: string[] = [];
  const log = { error: (line: string) => void lines.push(line), info: (line: string) => void lines.push(line) };
  let broken = true;
  const work = async () => {
    await Promise.resolve();
    if (broken) throw new Error("Cannot attach to ebpf1 ingress: EIO: i/o error.");
  };
  const timer = new Watchdog(new Health(), log as never).regularly("check the programs", 1, work);
  try {
    await expect
      .poll(() => lines)
      .toEqual(["cannot check the programs: Cannot attach to ebpf1 ingress: EIO: i/o error."]);
    broken = false;
    await expect.poll(() => lines.at(-1)).toBe("resolved: cannot check the programs");
  } finally {
    clearInterval(timer);
  }
});

test("work that takes longer than the time between is not begun again before its end", async () => {
  const log = { error: () => {}, info: () => {} };
  let [begun, end] = [0, () => {}];
  const work = () => {
    begun++;
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  vi.useFakeTimers();
  const timer = new Watchdog(new Health(), log as never).regularly("read the maps", 10, work);
  try {
    await vi.advanceTimersByTimeAsync(50);
    expect(begun).toBe(1);
    end();
    await vi.advanceTimersByTimeAsync(15);
    expect(begun).toBe(2);
  } finally {
    clearInterval(timer);
    vi.useRealTimers();
  }
});
