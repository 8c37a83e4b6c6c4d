import { expect, test } from "vitest";
import { withParents } from "./layer.ts";
import { libraryPaths } from "./libraries.ts";
import { canonical, directory, link, merge, text } from "./tree.ts";

test.each([
  ["/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6"],
  ["/usr/lib/libc.so.6", "/usr/lib/libc.so.6"],
  ["/sbin/ip", "/usr/sbin/ip"],
  ["/lib/../bin//sh", "/usr/bin/sh"],
  ["/bin", "/bin"],
  ["/binary", "/binary"],
])("canonical(%j) is %j", (path, name) => expect(canonical(path)).toBe(name));

test("merge() keeps one entry for a path that has two names", () => {
  expect(merge({ "/bin/sh": link("dash") }, { "/usr/bin/sh": link("bash") })).toEqual({ "/usr/bin/sh": link("bash") });
});

test("withParents() adds the directories above an entry, and keeps the existing ones", () => {
  const tree = { "/a": directory(0o700), "/a/b/c": text("") };
  expect(withParents(tree)).toEqual({ ...tree, "/a/b": directory() });
});

const LDD = `
	linux-vdso.so.1 (0x00007ffd1b5e4000)
	libbpf.so.1 => /lib/x86_64-linux-gnu/libbpf.so.1 (0x00007f0e5a2c5000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f0e5a330000)
`;

test("libraryPaths() finds libraries and the loader, but not what the kernel provides", () => {
  expect(libraryPaths("ip", LDD)).toEqual(["/lib/x86_64-linux-gnu/libbpf.so.1", "/lib64/ld-linux-x86-64.so.2"]);
});

test("libraryPaths() finds nothing for a static program", () => {
  expect(libraryPaths("pause", "\tnot a dynamic executable\n")).toEqual([]);
});

test("libraryPaths() names the program and the library if one is missing", () => {
  expect(() => libraryPaths("ip", "\tlibbpf.so.1 => not found\n")).toThrow(
    "Cannot run ip: its library libbpf.so.1 is not installed",
  );
});
