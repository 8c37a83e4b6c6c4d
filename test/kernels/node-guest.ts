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
  const { script, args, objects, preamble, scratch, isLong, onLine } = guest;
  const { kernel, veth } = await debianKernel();
  const bundle = await bundled(script, scratch);
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
        "/veth.ko": readFileSync(veth),
        [`${HOME}/script.js`]: readFileSync(bundle),
      },
      script: [
        "insmod /veth.ko",
        "ip link set lo up",
        `node ${isLong ? "" : "--no-opt"} ${HOME}/script.js /objects /preamble.bpf.o ${args.join(" ")}`,
      ].join("\n"),
    },
    scratch,
    timeoutSeconds,
  );
}

/** In one file, with everything but koffi. */
async function bundled(script: string, scratch: string): Promise<string> {
  const outfile = join(scratch, "script.cjs");
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
