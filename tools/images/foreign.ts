// The inputs of the agent's image for another processor: Debian packages of this computer's release,
// Node in this computer's version, koffi's native part, and the CNI plugin, cross-compiled by Go.
//
// apt uses separate folders: dpkg's state on this computer does not change, and nothing is installed.
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder, contentKey, removeAbandoned } from "../cache.ts";
import { claim, claimed } from "../claims.ts";
import { run } from "../command.ts";
import { buildShimFor } from "../programs.ts";
import { readLock } from "../sbom/npm.ts";
import { AGENT_PACKAGES, type AgentIngredients, nativePackage } from "./agent.ts";
import { listPackages } from "./debian-packages.ts";
import { fileSystem } from "./libraries.ts";
import type { Processor } from "./processor.ts";

/** @throws Error with the command that failed; the registries of Debian and npm must be reachable */
export async function agentForAnother(root: string, processor: Processor): Promise<AgentIngredients> {
  const folder = cacheFolder("foreign", processor.name);
  const packages = await debianPackages(folder, processor);
  const versions = npmPackages(root, processor);
  const system = join(
    folder,
    `system-${contentKey({ recipe: "2", names: [...packages.map((p) => basename(p)), ...versions.map((one) => one.name)].join("\n") })}`,
  );
  claim(`system-${processor.name}`, [system]);
  if (!existsSync(system)) {
    const inUse = claimed();
    for (const former of globSync(join(folder, "system-????????????")))
      if (!inUse.includes(former)) rmSync(former, { recursive: true, force: true });
    removeAbandoned(globSync(join(folder, "system-????????????.*")));
    await unpack(packages, versions, system);
  }
  return {
    root,
    processor,
    origin: fileSystem(system, processor.triplet),
    node: `/npm/node-linux-${processor.node}/bin/node`,
    native: `/npm/${nativePackage(processor)}`,
    cni: await buildShimFor(processor.name),
  };
}

/** Downloads missing packages. @returns the packages with all their dependencies */
async function debianPackages(folder: string, { name }: Processor): Promise<string[]> {
  const archives = join(folder, "apt", "archives");
  for (const part of ["apt/lists/partial", "apt/archives/partial"]) mkdirSync(join(folder, part), { recursive: true });
  const status = join(folder, "apt", "status");
  writeFileSync(status, "");
  const config = join(folder, "apt", "apt.conf");
  writeFileSync(
    config,
    `APT::Architecture "${name}";
APT::Architectures { "${name}"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State::Lists "${join(folder, "apt", "lists")}";
Dir::State::status "${status}";
Dir::Cache "${join(folder, "apt")}";
`,
  );
  const apt = (...words: string[]) => run("apt-get", words, { env: { APT_CONFIG: config }, timeoutSeconds: 300 });
  const install = ["install", "--yes", "--no-install-recommends"];
  await apt("update");
  await apt(...install, "--download-only", ...AGENT_PACKAGES);
  // The folder may also contain older ones; the plan lists the current ones: `Inst libc6 (2.36-9 Debian:12/stable [arm64])`.
  const plan = await apt(...install, "--simulate", ...AGENT_PACKAGES);
  return [...plan.matchAll(/^Inst (\S+) \((\S+) .*\[(\S+)\]/gm)].map(([, name = "", version = "", architecture]) =>
    join(archives, `${name.split(":")[0]}_${version.replaceAll(":", "%3a")}_${architecture}.deb`),
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
