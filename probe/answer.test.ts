import { describe, expect, it } from "vitest";
import { findAnswer, plainAddress } from "./answer.ts";

describe("answers", () => {
  it("are found in a raw line and in an HTTP body", () => {
    const line = '{"server":"a/b","source":"10.0.0.1","sourcePort":7}';
    const answer = { server: "a/b", source: "10.0.0.1", sourcePort: 7 };
    expect(findAnswer(`${line}\n`)).toEqual(answer);
    expect(findAnswer(`HTTP/1.1 200 OK\r\nX: {\r\n\r\n${line}\n`)).toEqual(answer);
    expect(findAnswer("<html>{}")).toBeUndefined();
  });
  it("print IPv4-mapped addresses as IPv4", () => {
    expect(plainAddress("::ffff:10.0.0.1")).toBe("10.0.0.1");
    expect(plainAddress("fd00::1")).toBe("fd00::1");
  });
});
