import { expect, test } from "vitest";
import { until } from "./patience.ts";

/** A clock that is only advanced by waiting. */
function clock() {
  let time = 0;
  return {
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

test("until() ends as soon as nothing is missing, and says each reason once", async () => {
  const answers = ["no answer", "no answer", "kubeadm is at work", undefined];
  const said: string[] = [];
  const missing = await until(
    async () => answers.shift(),
    60,
    (line) => said.push(line),
    { clock: clock() },
  );
  expect(missing).toBeUndefined();
  expect(said).toEqual(["waiting: no answer", "waiting: kubeadm is at work"]);
});

test("until() gives up with the last reason, and repeats a long one now and then", async () => {
  const said: string[] = [];
  expect(
    await until(
      async () => "no answer",
      60,
      (line) => said.push(line),
      { clock: clock() },
    ),
  ).toBe("no answer");
  expect(said.length).toBeGreaterThan(2);
  expect(said.length).toBeLessThan(6);
});
