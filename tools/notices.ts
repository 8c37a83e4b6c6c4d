// The licenses of third-party code in the bundles, which must be distributed with it.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Metafile } from "esbuild";

interface Manifest {
  name: string;
  version: string;
  license?: string;
}

const TEXTS = "{LICEN[CS]E,COPYING,NOTICE}*";

/** The npm packages in each bundle, by its file, as sorted places in the lock file. */
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
 * @param folder root of the sources, which contains `node_modules`
 * @returns a text that lists every bundled package with its license
 * @throws Error with a package that has no license information
 */
export function notices(folder: string, metafile: Metafile): string {
  const packages = new Set(Object.values(bundledPackages(metafile)).flat());
  const heading = "The programs in this folder contain these packages, each under its own license.\n";
  return [heading, ...[...packages].sort().map((home) => notice(join(folder, home)))].join(`\n${"-".repeat(80)}\n\n`);
}

function notice(home: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as Manifest;
  const texts = globSync(TEXTS, { cwd: home, exclude: ["*.{js,cjs,mjs,ts}"] }).sort();
  if (texts.length === 0 && !license)
    throw new Error(`Cannot determine the license of ${name} ${version}: it has none.`);
  const contents = texts.map((file) => readFileSync(join(home, file), "utf8").trim());
  return [`${name} ${version}${license ? `, ${license}` : ""}`, ...contents].join("\n\n");
}
