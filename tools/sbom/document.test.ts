import { expect, test } from "vitest";
import { billOfMaterials, type Component } from "./document.ts";
import { goModules } from "./go.ts";
import { dependencies, npmComponent } from "./npm.ts";

const subject = { type: "application", name: "ours", version: "1.0.0", purl: "pkg:oci/ours@1.0.0" } as const;
const library = (name: string, more: Partial<Component> = {}): Component => ({
  type: "library",
  name,
  version: "1",
  purl: `pkg:npm/${name}@1`,
  ...more,
});

test("a bill of materials lists each component once, in order, and is always the same", () => {
  const one = billOfMaterials(subject, [library("b"), library("a"), library("b")]);
  expect(billOfMaterials(subject, [library("a"), library("b")])).toBe(one);
  const { bomFormat, specVersion, serialNumber, components, dependencies, metadata } = JSON.parse(one);
  expect([bomFormat, specVersion]).toEqual(["CycloneDX", "1.5"]);
  expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(metadata.component["bom-ref"]).toBe(subject.purl);
  expect(components.map((each: { name: string }) => each.name)).toEqual(["a", "b"]);
  expect(dependencies).toEqual([{ ref: subject.purl, dependsOn: ["pkg:npm/a@1", "pkg:npm/b@1"] }]);
  expect(JSON.parse(billOfMaterials(subject, [library("a")])).serialNumber).not.toBe(serialNumber);
});

test("licenses are SPDX expressions or names, hashes are hexadecimal", () => {
  const licenses = ["MIT", "(GPL-2.0-only OR Apache-2.0)", "SEE LICENSE IN x.txt"];
  const components = licenses.map((license, index) => library(`l${index}`, { license, integrity: "sha512-AQI=" }));
  const made = JSON.parse(billOfMaterials(subject, components)).components;
  expect(made.map(({ licenses }: { licenses: unknown[] }) => licenses[0])).toEqual([
    { expression: "MIT" },
    { expression: "(GPL-2.0-only OR Apache-2.0)" },
    { license: { name: "SEE LICENSE IN x.txt" } },
  ]);
  expect(made[0].hashes).toEqual([{ alg: "SHA-512", content: "0102" }]);
});

test("a Go program lists its standard library and its modules, with their replacements", () => {
  const answer =
    "x: go1.26.8\n\tpath\tours\n\tmod\tours\t(devel)\t\n\tdep\ta.example/a\tv1.0.0\th1:x\n\tdep\tb.example/b\tv1.0.0\n\t=>\tc.example/c\tv2.0.0\th1:y\n";
  expect(goModules(answer).map(({ purl }) => purl)).toEqual([
    "pkg:golang/std@1.26.8",
    "pkg:golang/a.example/a@v1.0.0",
    "pkg:golang/c.example/c@v2.0.0",
  ]);
  expect(() => goModules("x: not a Go executable")).toThrow("Cannot determine the Go version of a program");
});

test("the dependencies of the package are those in the lock file that are not for development", () => {
  const lock = {
    "": {},
    "node_modules/@a/one": { version: "1.0.0", license: "MIT", integrity: "sha512-AQI=" },
    "node_modules/two": { version: "2.0.0", dev: true },
    "node_modules/@a/one/node_modules/three": { version: "3.0.0" },
  };
  expect(dependencies(lock).map(({ purl }) => purl)).toEqual(["pkg:npm/%40a/one@1.0.0", "pkg:npm/three@3.0.0"]);
  expect(() => npmComponent(lock, "node_modules/four", "bundled")).toThrow("node_modules/four: it is not in the lock");
});
