// A campaign on Debian's kernel 6.1, in a guest (test/kernels): Node, koffi and libbpf come along from this computer.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { HOME, koffi, nativePackage } from "../../tools/images/agent.ts";
import { thisComputer, withLibraries } from "../../tools/images/libraries.ts";
import { thisProcessor } from "../../tools/images/processor.ts";
import { debianKernel } from "../kernels/debian-kernel.ts";
import { boot } from "../kernels/guest.ts";

export interface Campaign {
  readonly objects: string;
  readonly preamble: string;
  readonly seed: number;
  /** For each program. */
  readonly packets: number;
  readonly scratch: string;
}

const root = join(import.meta.dirname, "..", "..");

/** @returns the report, as reportText() makes it */
export async function fuzzInGuest(campaign: Campaign, timeoutSeconds: number): Promise<string> {
  const { objects, preamble, seed, packets, scratch } = campaign;
  const { kernel, veth } = await debianKernel();
  const script = await bundled(scratch);
  const compiled = globSync(join(objects, "*.bpf.o")).map((path) => [`/objects/${basename(path)}`, readFileSync(path)]);
  const printed = await boot(
    {
      kernel,
      programs: ["/usr/sbin/bpftool", "/sbin/ip"],
      tree: nodeAndKoffi(),
      files: {
        ...Object.fromEntries(compiled),
        "/preamble.bpf.o": readFileSync(preamble),
        "/veth.ko": readFileSync(veth),
        [`${HOME}/fuzz.js`]: readFileSync(script),
      },
      script: [
        "insmod /veth.ko",
        "ip link set lo up",
        `node ${HOME}/fuzz.js /objects /preamble.bpf.o ${seed} ${packets}`,
      ].join("\n"),
    },
    scratch,
    timeoutSeconds,
  );
  const text = printed.replaceAll("\r", "");
  const at = text.indexOf("seed ");
  if (at < 0) throw new Error(`The guest reported nothing:\n${text.slice(-3000)}`);
  return text.slice(at, text.lastIndexOf("guest ended"));
}

/** inside.ts in one file, with everything but koffi. */
async function bundled(scratch: string): Promise<string> {
  const outfile = join(scratch, "fuzz.cjs");
  await build({
    entryPoints: [join(import.meta.dirname, "inside.ts")],
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
