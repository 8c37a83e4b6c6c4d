import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { bundle } from "./bundle.ts";

const root = mkdtempSync(join(tmpdir(), "bundle-"));
afterAll(() => rmSync(root, { recursive: true }));

function write(path: string, content: string): string {
  const file = join(root, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, content);
  return file;
}

test("bundle() builds programs that know their location, and need only the external packages", async () => {
  write("agent/part.ts", "export const part: string = import.meta.url;");
  write("agent/main.ts", 'import { part } from "./part.ts";\nconsole.log(import.meta.dirname, part);');
  write(
    "runner/main.ts",
    'import { x } from "@pulumi/pulumi/runtime";\nimport koffi from "koffi";\nconsole.log(x, koffi);',
  );
  write("lab/main.ts", 'import { six } from "six";\nconsole.log(six);');
  write("node_modules/six/package.json", '{ "name": "six", "version": "6.0.0", "license": "MIT", "main": "index.js" }');
  write("node_modules/six/index.js", "exports.six = 6;");
  write("node_modules/six/LICENSE.md", "Copyright somebody");
  write("node_modules/seven/package.json", '{ "name": "seven", "version": "7.0.0" }');
  write("lab/machines/boot.sh", "#!/bin/sh\n");
  expect(await bundle(root)).toEqual(["probe", "verify", "cluster", "cli"]);

  const node = (...args: string[]) => execFileSync(process.execPath, args, { encoding: "utf8" });
  const agent = join(root, "dist", "agent.js");
  expect(node(agent)).toBe(`${join(root, "dist")} ${pathToFileURL(agent)}\n`);
  const runner = readFileSync(join(root, "dist", "runner.js"), "utf8");
  for (const name of ["@pulumi/pulumi/runtime", "koffi"]) expect(runner).toContain(`require("${name}")`);
  const notices = readFileSync(join(root, "dist", "THIRD-PARTY-LICENSES"), "utf8");
  expect(notices).toContain("six 6.0.0, MIT\n\nCopyright somebody");
  expect(notices).not.toContain("seven");
  expect(readFileSync(join(root, "dist", "machines", "boot.sh"), "utf8")).toContain("#!/bin/sh");
});

test("bundle() fails with the location of an error", async () => {
  write("agent/main.ts", 'import { missing } from "./nowhere.ts";\nmissing();');
  await expect(bundle(root)).rejects.toThrow(/agent\/main\.ts:1:\d+: ERROR: Could not resolve "\.\/nowhere\.ts"/);
});
