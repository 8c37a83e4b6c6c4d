import { expect, test } from "vitest";
import { bytesAt, Comparison, ECHO, seedOf } from "./echo.ts";

test("the bytes of a request are the same in pieces as in one", () => {
  const whole = bytesAt(7, 0, 1000);
  expect(whole[0]).toBe(ECHO);
  expect(Buffer.concat([bytesAt(7, 0, 1), bytesAt(7, 1, 6), bytesAt(7, 7, 993)])).toEqual(whole);
  expect(bytesAt(8, 1, 999)).not.toEqual(whole.subarray(1));
});

test.each([1, 2, 3, 4, 5, 65_000])("an echo of %i bytes is whole, and what follows it is kept", (size) => {
  const comparison = new Comparison("a.1", size);
  for (const piece of [bytesAt(seedOf("a.1"), 0, size), Buffer.from("line")]) comparison.add(piece);
  expect(comparison).toMatchObject({ whole: true, echoed: size, differsAt: undefined, rest: "line" });
});

test("a byte that is another one, and blocks in another order, are found at their offset", () => {
  const sent = bytesAt(seedOf("a.1"), 0, 6000);
  const altered = Buffer.from(sent);
  altered[4321] = (altered[4321] ?? 0) ^ 1;
  const swapped = Buffer.concat([sent.subarray(0, 1448), sent.subarray(2896, 4344), sent.subarray(1448, 2896)]);
  for (const [bytes, differsAt] of [
    [altered, 4321],
    [swapped, 1448],
  ] as const) {
    const comparison = new Comparison("a.1", 6000);
    comparison.add(bytes.subarray(0, 1000));
    comparison.add(bytes.subarray(1000));
    expect(comparison).toMatchObject({ whole: false, echoed: differsAt, differsAt });
  }
});
