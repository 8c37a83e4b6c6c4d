import { expect, test } from "vitest";
import { judgements } from "./judgement.ts";

const SERIAL = [
  "[    1.2] Run /init as init process",
  "verified socket",
  "refused uplink",
  "  R3 pointer arithmetic prohibited",
  "  processed 1384 insns",
  "[    2.1] a line of the kernel's",
  "verified tunnel",
  "guest ended",
].join("\r\r\n");

test("judgements() reads a serial line", () => {
  expect(judgements(SERIAL)).toEqual({
    socket: { verified: true, words: "" },
    uplink: { verified: false, words: "R3 pointer arithmetic prohibited\nprocessed 1384 insns\n" },
    tunnel: { verified: true, words: "" },
  });
});

test("judgements() does not take a mention for a verdict", () => {
  expect(judgements("it verified socket\nverified\n  words of nobody\n")).toEqual({});
});
