import { expect, test } from "vitest";
import { progressIn, progressLine } from "./progress.ts";

test("what a guest says of its progress is told from everything else on its console", () => {
  const text = "DSR, services translated, IPv4, VXLAN";
  expect(progressIn(`${progressLine(text)}\r`)).toBe(text);
  for (const other of ["[    1.2] veth: loaded", "", "null", "7", '{"other":1}', '{"progress":1}', text])
    expect(progressIn(other)).toBeUndefined();
});
