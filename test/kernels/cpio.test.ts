import { expect, test } from "vitest";
import { cpio, file, link } from "./cpio.ts";

// Fields of a header, each eight hexadecimal digits after the magic number.
const FIELD = { mode: 1, size: 6, nameSize: 11 };

function read(archive: Buffer) {
  const members: { name: string; mode: string; content: string }[] = [];
  for (let at = 0; ; ) {
    expect(archive.toString("latin1", at, at + 6)).toBe("070701");
    const field = (index: number) =>
      Number.parseInt(archive.toString("latin1", at + 6 + index * 8, at + 14 + index * 8), 16);
    const aligned = (offset: number) => (offset + 3) & ~3;
    const [mode, size, nameSize] = [field(FIELD.mode), field(FIELD.size), field(FIELD.nameSize)];
    const name = archive.toString("latin1", at + 110, at + 109 + nameSize);
    const start = aligned(at + 110 + nameSize);
    if (name === "TRAILER!!!") return members;
    members.push({ name, mode: mode.toString(8), content: archive.toString("latin1", start, start + size) });
    at = aligned(start + size);
  }
}

test("cpio() writes files, links, and the folders above them before them", () => {
  expect(read(cpio({ "usr/bin/tool": file("odd"), init: file("#!/bin/sh\n"), bin: link("usr/bin") }))).toEqual([
    { name: "bin", mode: "120777", content: "usr/bin" },
    { name: "init", mode: "100755", content: "#!/bin/sh\n" },
    { name: "usr", mode: "40755", content: "" },
    { name: "usr/bin", mode: "40755", content: "" },
    { name: "usr/bin/tool", mode: "100755", content: "odd" },
  ]);
});
