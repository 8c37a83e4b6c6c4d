// A guest that runs one of this project's scripts against compiled objects, with Node, koffi and libbpf of this computer.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { HOME, koffi, nativePackage } from "../../tools/images/agent.ts";
import { thisComputer, withLibraries } from "../../tools/images/libraries.ts";
import { thisProcessor } from "../../tools/images/processor.ts";
import { debianKernel } from "./debian-kernel.ts";
import { boot } from "./guest.ts";

export interface NodeGuest {
  /** The script; its arguments are the folder of the objects, the preamble's path, and these. */
  readonly script: string;
  readonly args: readonly string[];
  /** Scripts that run after it, whatever becomes of it, with the objects' folder. */
  readonly further?: readonly string[];
  readonly objects: string;
  readonly preamble: string;
  readonly scratch: string;
  /** Whether it runs for minutes: an emulated processor takes long to optimise code, which saves a short script nothing. */
  readonly isLong?: boolean;
  /** Hears each line that it prints, as it comes. */
  readonly onLine?: (line: string) => void;
}

const root = join(import.meta.dirname, "..", "..");

/** @returns its output on Debian's kernel 6.1, with the carriage returns of a serial line */
export async function runInGuest(guest: NodeGuest, timeoutSeconds: number): Promise<string> {
  const { script, args, further = [], objects, preamble, scratch, isLong, onLine } = guest;
  const { kernel, modules } = await debianKernel();
  const needed = modules.map((path, index) => [`/module${String(index).padStart(2, "0")}.ko`, path] as const);
  const scripts = await Promise.all(
    [script, ...further].map((path, index) => bundled(path, join(scratch, `script${index}.cjs`))),
  );
  const compiled = globSync(join(objects, "*.bpf.o")).map((path) => [`/objects/${basename(path)}`, readFileSync(path)]);
  return boot(
    {
      kernel,
      onLine,
      programs: ["/usr/sbin/bpftool", "/sbin/ip"],
      tree: nodeAndKoffi(),
      files: {
        ...Object.fromEntries(compiled),
        "/preamble.bpf.o": readFileSync(preamble),
        ...Object.fromEntries(needed.map(([name, path]) => [name, readFileSync(path)])),
        ...Object.fromEntries(scripts.map((path, index) => [`${HOME}/script${index}.js`, readFileSync(path)])),
      },
      script: [
        ...needed.map(([name]) => `insmod ${name}`),
        "ip link set lo up",
        `node ${isLong ? "" : "--no-opt"} ${HOME}/script0.js /objects /preamble.bpf.o ${args.join(" ")}`,
        ...further.map((_, index) => `node --no-opt ${HOME}/script${index + 1}.js /objects`),
      ].join("\n"),
    },
    scratch,
    timeoutSeconds,
  );
}

/** In one file, with everything but koffi. */
async function bundled(script: string, outfile: string): Promise<string> {
  await build({
    entryPoints: [script],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["koffi"],
    define: { "import.meta.dirname": "__dirname" },
    logLevel: "error",
  });
  return outfile;
}

function nodeAndKoffi() {
  const processor = thisProcessor();
  const native = join(root, "node_modules", nativePackage(processor));
  return {
    ...withLibraries({ "/usr/bin/node": process.execPath }, [`/usr/lib/${processor.triplet}/libbpf.so.1`]),
    ...koffi({ root, processor, origin: thisComputer, native }),
  };
}
