import { expect, test } from "vitest";
import { mask, reveal } from "./secrets.ts";

const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value });
const nested = { a: [secret({ b: secret("c") })], d: 1, e: null };

test("reveal() shows secrets inside secrets", () => {
  expect(reveal(nested)).toEqual({ a: [{ b: "c" }], d: 1, e: null });
});

test("reveal() leaves out values that are unknown in a preview", () => {
  expect(reveal({ a: { __pulumiUnknown: true }, b: secret({ __pulumiUnknown: true }) })).toEqual({});
});

test("mask() shows that there is a secret, not its value", () => {
  expect(mask(nested)).toEqual({ a: ["[secret]"], d: 1, e: null });
});
