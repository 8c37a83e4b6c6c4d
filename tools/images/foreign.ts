// Programs for another processor: Debian packages of this computer's release, Node in this computer's version, and koffi's native part.
// The agent's image is made of them with the CNI plugin, cross-compiled by Go, and guests that emulate that processor run them.
import { existsSync, globSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder, contentKey, publish, removeAbandoned } from "../cache.ts";
import { claim, claimed } from "../claims.ts";
import { run } from "../command.ts";
import { buildShimFor } from "../programs.ts";
import { readLock } from "../sbom/npm.ts";
import { AGENT_PACKAGES, type AgentIngredients, nativePackage } from "./agent.ts";
import { aptOf } from "./apt.ts";
import { listPackages } from "./debian-packages.ts";
import { fileSystem } from "./libraries.ts";
import type { Processor } from "./processor.ts";

/** The programs, Node's and koffi's places in them. */
export type ForeignPrograms = Pick<AgentIngredients, "origin" | "node" | "native">;

/** @throws Error with the command that failed; the registries of Debian and npm must be reachable */
export async function agentForAnother(root: string, processor: Processor): Promise<AgentIngredients> {
  const folder = cacheFolder("foreign", processor.name);
  const system = await newestSystem(root, processor, folder, AGENT_PACKAGES);
  claim(`system-${processor.name}`, [system]);
  return { root, processor, ...programsIn(system, processor), cni: await buildShimFor(processor.name) };
}

/** For tests: what was unpacked once stays, so they need no network from then on. @param packages of Debian */
export async function programsForAnother(
  root: string,
  processor: Processor,
  packages: readonly string[],
): Promise<ForeignPrograms> {
  const folder = cacheFolder("foreign", processor.name, "guests");
  const npm = npmPackages(root, processor).map(({ name }) => name);
  const system = join(folder, `of-${contentKey({ names: [...packages, ...npm].join("\n") })}`);
  if (!existsSync(system)) publish(system, await newestSystem(root, processor, folder, packages));
  claim(`guests-${processor.name}`, [realpathSync(system)]);
  return programsIn(system, processor);
}

const programsIn = (system: string, processor: Processor): ForeignPrograms => ({
  origin: fileSystem(system, processor.triplet),
  node: `/npm/node-linux-${processor.node}/bin/node`,
  native: `/npm/${nativePackage(processor)}`,
});

/** @returns the folder in which the newest versions are unpacked; former ones are removed */
async function newestSystem(
  root: string,
  processor: Processor,
  folder: string,
  names: readonly string[],
): Promise<string> {
  const packages = await debianPackages(processor, names);
  const versions = npmPackages(root, processor);
  const system = join(
    folder,
    `system-${contentKey({ recipe: "2", names: [...packages.map((p) => basename(p)), ...versions.map((one) => one.name)].join("\n") })}`,
  );
  if (!existsSync(system)) {
    const inUse = claimed();
    for (const former of globSync(join(folder, "system-????????????")))
      if (!inUse.includes(former)) rmSync(former, { recursive: true, force: true });
    removeAbandoned(globSync(join(folder, "system-????????????.*")));
    await unpack(packages, versions, system);
  }
  return system;
}

/** Downloads missing packages. @returns the packages with all their dependencies */
async function debianPackages(processor: Processor, names: readonly string[]): Promise<string[]> {
  const apt = aptOf(processor);
  const install = ["install", "--yes", "--no-install-recommends"];
  await apt.get("update");
  await apt.get(...install, "--download-only", ...names);
  // The folder may also contain older ones; the plan lists the current ones: `Inst libc6 (2.36-9 Debian:12/stable [arm64])`.
  const plan = await apt.get(...install, "--simulate", ...names);
  return [...plan.matchAll(/^Inst (\S+) \((\S+) .*\[(\S+)\]/gm)].map(([, name = "", version = "", architecture]) =>
    join(apt.archives, `${name.split(":")[0]}_${version.replaceAll(":", "%3a")}_${architecture}.deb`),
  );
}

interface NpmPackage {
  /** NAME@VERSION */
  name: string;
  integrity: string | undefined;
}

/** As in the lock files. */
function npmPackages(root: string, processor: Processor): NpmPackage[] {
  const of = (name: string, ...lock: string[]): NpmPackage => {
    const { version, integrity } = readLock(join(root, ...lock, "package-lock.json"))[`node_modules/${name}`] ?? {};
    return { name: `${name}@${version}`, integrity };
  };
  return [of(`node-linux-${processor.node}`, "tools", "node"), of(nativePackage(processor))];
}

async function unpack(debian: string[], npm: NpmPackage[], system: string): Promise<void> {
  const draft = mkdtempSync(`${system}.`);
  try {
    const { name, text } = await listPackages(debian);
    writeFileSync(join(draft, name), text);
    for (const file of debian) await run("dpkg-deb", ["--extract", file, draft], { timeoutSeconds: 60 });
    for (const { name, integrity: wanted } of npm) {
      const words = ["pack", "--json", "--prefer-offline", "--pack-destination", draft, name];
      const [{ filename, integrity }] = JSON.parse(await run("npm", words, { cwd: draft, timeoutSeconds: 300 }));
      if (integrity !== wanted)
        throw new Error(`${name} does not match the lock file: ${integrity} instead of ${wanted}.`);
      const home = join(draft, "npm", name.replace(/@[^@]*$/, ""));
      mkdirSync(home, { recursive: true });
      await run("tar", ["-xzf", join(draft, filename), "-C", home, "--strip-components=1"], { timeoutSeconds: 60 });
      rmSync(join(draft, filename));
    }
    renameSync(draft, system);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
