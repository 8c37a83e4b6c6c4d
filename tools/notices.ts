// The licences of other people's code that is inside our bundles: they ask to go where it goes.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Metafile } from "esbuild";

interface Manifest {
  name: string;
  version: string;
  license?: string;
}

const TEXTS = "{LICEN[CS]E,COPYING,NOTICE}*";

/** The npm packages that gave each bundle something, by its file: places in the lock file, sorted. */
export function bundledPackages({ outputs }: Metafile): Record<string, string[]> {
  const bundles = Object.entries(outputs).map(([file, { inputs }]) => {
    const homes = Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
      const home = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      return home && bytesInOutput > 0 ? [home] : [];
    });
    return [basename(file), [...new Set(homes)].sort()] as const;
  });
  return Object.fromEntries(bundles);
}

/**
 * @param folder root of the sources, which `node_modules` is in
 * @returns a text: every package that gave a bundle something, with its licence
 * @throws Error naming a package that says nothing about its licence
 */
export function notices(folder: string, metafile: Metafile): string {
  const packages = new Set(Object.values(bundledPackages(metafile)).flat());
  const heading = "The programs in this folder contain these packages, each under its own licence.\n";
  return [heading, ...[...packages].sort().map((home) => notice(join(folder, home)))].join(`\n${"-".repeat(80)}\n\n`);
}

function notice(home: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as Manifest;
  const texts = globSync(TEXTS, { cwd: home, exclude: ["*.{js,cjs,mjs,ts}"] }).sort();
  if (texts.length === 0 && !license) throw new Error(`Cannot tell the licence of ${name} ${version}: it has none.`);
  const contents = texts.map((file) => readFileSync(join(home, file), "utf8").trim());
  return [`${name} ${version}${license ? `, ${license}` : ""}`, ...contents].join("\n\n");
}
