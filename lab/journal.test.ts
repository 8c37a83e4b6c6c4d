import { expect, it } from "vitest";
import { parseJournal } from "./journal.ts";

it("parseJournal() keeps complete lines and ignores one that a killed writer truncated", () => {
  const text =
    '{"kind":"namespace","name":"local-master"}\n{"kind":"process","pid":7,"start":"99","role":"forwarder"}\n{"ki';
  expect(parseJournal(text)).toEqual([
    { kind: "namespace", name: "local-master" },
    { kind: "process", pid: 7, start: "99", role: "forwarder" },
  ]);
});
