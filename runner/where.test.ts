import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Project } from "./project.ts";
import { framesOf, Places } from "./where.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "where-")));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "node_modules", "sdk"), { recursive: true });
const [program, settings] = [join(folder, "index.ts"), join(folder, "Pulumi.dev.yaml")];
const project: Project = {
  ...{ folder, name: "app", stack: "dev", entry: program, settings },
  config: { "app:mode": "dsr", "app:pools": '["a"]', "app:modeOfAll": "x", "aws:region": "eu" },
};
const places = new Places(project);

/** An error as Node would make it. */
const thrown = (message: string, ...frames: string[]) =>
  Object.assign(new Error(message), {
    stack: [`Error: ${message}`, ...frames.map((one) => `    at ${one}`)].join("\n"),
  });

const sdk = `new Resource (${join(folder, "node_modules", "sdk", "resource.js")}:9:9)`;

test.each([
  ["a function", `make (${program}:3:7)`],
  ["a module", `${program}:3:7`],
  ["a URL", `async file://${program}:3:7`],
  ["a constructor", `new App (${program}:3:7)`],
])("the first frame of the user's: %s", (_, frame) => {
  const error = thrown("no", "node:internal/modules/cjs/loader:1:2", sdk, "async Promise.all (index 0)", frame);
  expect(places.ofError(error)).toBe(`${program}:3:7`);
});

test("a file that cannot be read has its place before the message", () => {
  expect(
    framesOf(Object.assign(new SyntaxError("no"), { stack: `${program}:4\nconst const\n\nSyntaxError: no` })),
  ).toEqual([{ file: program, line: 4, column: 1 }]);
});

test("what nobody of the program threw has no place", () => {
  expect(places.ofError(thrown("no", sdk, "node:net:1:1"))).toBeUndefined();
  expect(places.ofError("a text")).toBeUndefined();
  const library = join(import.meta.dirname, "..", "components", "index.ts");
  const here = new Places({ ...project, folder: join(import.meta.dirname, "..") });
  const stack = join(import.meta.dirname, "..", "stacks", "local.ts");
  expect(here.ofError(thrown("no", `refuse (${library}:1:1)`, `${stack}:2:2`))).toMatch(/local\.ts:2:2$/);
});

test("a setting is named in the stack's file, in either spelling, unless the command line has it", () => {
  writeFileSync(settings, "config:\n  app:mode: dsr\n  pools: [a]\n  app:modeOfAll: y\n  aws:region: eu # or us\n");
  const at = (message: string) => places.ofError(thrown(message, `${program}:3:7`));
  expect(at('Stack "dev": app:mode is "dsr"')).toBe(`${settings}:2:3`);
  expect(at("app:pools[0] is wrong")).toBe(`${settings}:3:3`);
  expect(at("aws:region: no such region")).toBe(`${settings}:5:3`);
  // Of the command line: the file says another value.
  expect(at('Stack "dev": app:modeOfAll is "x"')).toBeUndefined();
  // An argument that is a setting's, and one that only has its name.
  expect(at('Dataplane "dp": mode is "dsr", but must be "DSR".')).toBe(`${settings}:2:3`);
  expect(at('LocalCluster "c": network.pools[0] is "a", but must be "b".')).toBe(`${settings}:3:3`);
  expect(at('Dataplane "dp": mode is "tunnel", but must be "dsr".')).toBe(`${program}:3:7`);
  expect(at("a model of app:modem")).toBe(`${program}:3:7`);
});
