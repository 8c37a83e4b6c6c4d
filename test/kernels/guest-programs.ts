// What guests run: Node, koffi and libbpf, and scripts of this checkout, bundled, at the places that they have in it.
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { arch } from "node:process";
import { build, type Plugin } from "esbuild";
import { AGENT_PACKAGES, HOME, koffi, nativePackage } from "../../tools/images/agent.ts";
import { type ForeignPrograms, programsForAnother } from "../../tools/images/foreign.ts";
import { thisComputer, withLibraries } from "../../tools/images/libraries.ts";
import type { Processor } from "../../tools/images/processor.ts";
import { program, type Tree } from "../../tools/images/tree.ts";
import { buildShimFor } from "../../tools/programs.ts";

const root = join(import.meta.dirname, "..", "..");
/** The checkout's folder in a guest. */
const CHECKOUT = "/checkout";

/** Programs of every guest, what machines and agents need besides, and what cards do. */
const PROGRAMS = ["/usr/sbin/bpftool", "/sbin/ip"];
const OF_MACHINES = [
  ...["/bin/bash", "/bin/cp", "/bin/dash", "/bin/ss", "/bin/umount", "/sbin/sysctl", "/sbin/tc"],
  ...["/usr/bin/curl", "/usr/bin/env", "/usr/bin/mount", "/usr/bin/nsenter", "/usr/bin/setpriv", "/usr/bin/unshare"],
  "/usr/sbin/nft",
];
const OF_CARDS = ["/sbin/ethtool"];

export const programsFor = (has: { machines: boolean; cards: boolean }): string[] => [
  ...PROGRAMS,
  ...(has.machines ? OF_MACHINES : []),
  ...(has.cards ? OF_CARDS : []),
];
const PACKAGES = [...AGENT_PACKAGES, "bash", "busybox-static", "curl", "ethtool", "procps"];

/** This computer's programs where the guest has its processor; otherwise Debian's and npm's packages, unpacked in the cache. */
export async function guestPrograms(processor: Processor): Promise<ForeignPrograms> {
  if (processor.node !== arch) return programsForAnother(root, processor, PACKAGES);
  return {
    origin: thisComputer,
    node: process.execPath,
    native: join(root, "node_modules", nativePackage(processor)),
  };
}

/** Node with what its scripts load. */
export function nodeAndKoffi(processor: Processor, { origin, node, native }: ForeignPrograms): Tree {
  const modules = koffi({ root, processor, origin, native });
  return {
    ...withLibraries({ "/usr/bin/node": node }, [`/usr/lib/${processor.triplet}/libbpf.so.1`], origin),
    ...Object.fromEntries(Object.entries(modules).map(([path, entry]) => [path.replace(HOME, CHECKOUT), entry])),
  };
}

/** A real agent with its CNI plugin, and the scripts with which the lab makes machines. */
export async function agentAndLab(
  processor: Processor,
  { origin }: Pick<ForeignPrograms, "origin">,
  objects: string,
): Promise<Tree> {
  const plugin =
    processor.node === arch ? join(root, "dist", "cni", "ebpf-dataplane") : await buildShimFor(processor.name);
  const agent = join(root, "dist", "agent.js");
  for (const path of [agent, plugin])
    if (!existsSync(path)) throw new Error(`There is no ${path}. Next: node tools/build.ts bpf cni bundle`);
  return {
    // The shell of busybox runs its own programs in place of those of the same name, which have fewer options.
    "/usr/bin/sh": program(origin.file("/bin/dash")),
    [`${CHECKOUT}/dist/agent.js`]: program(agent),
    [`${CHECKOUT}/dist/cni/ebpf-dataplane`]: program(plugin),
    ...Object.fromEntries(
      globSync(join(objects, "*.bpf.o")).map((path) => [`${CHECKOUT}/dist/bpf/${basename(path)}`, program(path)]),
    ),
    ...Object.fromEntries(
      globSync("lab/machines/*.sh", { cwd: root }).map((path) => [`${CHECKOUT}/${path}`, program(join(root, path))]),
    ),
  };
}

const placeOf = (path: string): string => join(CHECKOUT, relative(root, path));

/** Of the bundle of a script: "…/encryption.mjs" has modules and `await` at its top, "….cjs" may load koffi. */
export const bundlePlace = (script: string, format: "cjs" | "mjs" = "cjs"): string =>
  placeOf(script).replace(/\.ts$/, `.${format}`);

/** Each module finds files next to where it is in the checkout; a program that it starts is a bundle there. */
const atItsPlace: Plugin = {
  name: "at its place",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const folder = dirname(placeOf(path));
      const contents = readFileSync(path, "utf8")
        .replace(/join\(import\.meta\.dirname, "([\w-]+)\.ts"\)/g, (_, name) => JSON.stringify(`${folder}/${name}.mjs`))
        .replaceAll("import.meta.dirname", JSON.stringify(folder));
      return { contents, loader: "ts" };
    });
  },
};

/** A script in one file, with everything but koffi. @returns where it belongs, and its text */
export async function bundled(script: string, format: "cjs" | "mjs" = "cjs"): Promise<[string, Uint8Array]> {
  const { outputFiles } = await build({
    entryPoints: [script],
    bundle: true,
    write: false,
    platform: "node",
    format: format === "mjs" ? "esm" : "cjs",
    external: ["koffi"],
    plugins: [atItsPlace],
    logLevel: "error",
  });
  const [output] = outputFiles;
  if (!output) throw new Error(`${script} has no bundle`);
  return [bundlePlace(script, format), output.contents];
}
