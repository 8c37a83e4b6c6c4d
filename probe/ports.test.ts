import { describe, expect, it } from "vitest";
import { parsePorts } from "./ports.ts";

describe("ports", () => {
  it("reads a list", () => expect(parsePorts("80, 81")).toEqual([80, 81]));
  it.each(["0", "70000", "x", "80,,81", "80,80"])("refuses %s", (text) =>
    expect(() => parsePorts(text)).toThrow(/port/),
  );
});
