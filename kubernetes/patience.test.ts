import { expect, test } from "vitest";
import { ApiRefusal } from "./errors.ts";
import { patiently, until } from "./patience.ts";
import { waitingClock } from "./testing/clock.ts";

test("until() ends as soon as nothing is missing, and reports each reason once", async () => {
  const answers = ["no answer", "no answer", "kubeadm is at work", undefined];
  const said: string[] = [];
  const look = async () => answers.shift();
  const missing = await until(look, 60, (line) => said.push(line), { clock: waitingClock() });
  expect(missing).toBeUndefined();
  expect(said).toEqual(["waiting: no answer", "waiting: kubeadm is at work"]);
});

test("until() gives up with the last reason, and repeats a long one now and then", async () => {
  const said: string[] = [];
  const look = async () => "no answer";
  expect(await until(look, 60, (line) => said.push(line), { clock: waitingClock() })).toBe("no answer");
  expect(said.length).toBeGreaterThan(2);
  expect(said.length).toBeLessThan(6);
});

test("until() does not retry errors of look()", async () => {
  const look = async () => Promise.reject(new Error("forbidden"));
  await expect(until(look, 60, () => {}, { clock: waitingClock() })).rejects.toThrow("forbidden");
});

test("patiently() attempts again as long as it helps with this error, and throws the last one", async () => {
  const errors = ["passing", "passing", "for good", "never reached"];
  const attempt = async () => Promise.reject(new Error(errors.shift()));
  const time = waitingClock();
  const limitMs = ({ message }: Error) => (message === "passing" ? 10_000 : 0);
  await expect(patiently(attempt, { limitMs, everyMs: 500, clock: time })).rejects.toThrow("for good");
  expect(time.pauses).toEqual([500, 500]);
  const always = async () => Promise.reject(new Error("passing"));
  await expect(patiently(always, { limitMs, everyMs: 500, clock: time })).rejects.toThrow("passing");
  expect(time.pauses).toHaveLength(2 + 20);
});

test("patiently() returns the last attempt's result, and reports each pause before it", async () => {
  let left = 2;
  const attempt = async () => (left-- > 0 ? Promise.reject(new Error(`${left + 1} to go`)) : "done");
  const told: string[] = [];
  const waiting = ({ message }: Error) => void told.push(message);
  expect(await patiently(attempt, { limitMs: () => 1000, everyMs: 1, waiting, clock: waitingClock() })).toBe("done");
  expect(told).toEqual(["2 to go", "1 to go"]);
});

test("patiently() waits as long as an API server requests, but not longer than its own timeout", async () => {
  const waits = [3_000, 60_000];
  const attempt = async () => {
    const retryAfterMs = waits.shift();
    if (retryAfterMs !== undefined) throw new ApiRefusal(429, "", "slowly", { retryAfterMs });
  };
  const time = waitingClock();
  await patiently(attempt, { limitMs: () => 10_000, everyMs: 500, clock: time });
  expect(time.pauses).toEqual([3_000, 7_000]);
});

test("patiently() ends with the signal's reason, also in a pause", async () => {
  const stopping = new AbortController();
  const attempt = async () => Promise.reject(new Error("not yet"));
  setTimeout(() => stopping.abort(new Error("stopped")), 20);
  const waiting = patiently(attempt, { limitMs: () => 60_000, everyMs: 50_000, signal: stopping.signal });
  await expect(waiting).rejects.toThrow("stopped");
});
