// A guest that runs scripts of this project against compiled objects, on a kernel of Debian's, with Node, koffi and libbpf.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Processor } from "../../tools/images/processor.ts";
import type { Card } from "./cards.ts";
import { debianKernel, type Series } from "./debian-kernel.ts";
import { guestProcessor } from "./emulators.ts";
import { boot } from "./guest.ts";
import { agentAndLab, bundled, bundlePlace, guestPrograms, nodeAndKoffi, programsFor } from "./guest-programs.ts";

export interface NodeGuest {
  /** The script; its arguments are the folder of the objects, the preamble's path, and these. */
  readonly script: string;
  readonly args: readonly string[];
  /** Scripts that run after it, whatever becomes of it, with the objects' folder. */
  readonly further?: readonly string[];
  readonly objects: string;
  readonly preamble: string;
  readonly scratch: string;
  /** Absent: this computer's. */
  readonly processor?: Processor;
  /** Absent: the oldest supported. */
  readonly series?: Series;
  /** Whether its scripts make machines with real agents (test/datapath). */
  readonly hasMachines?: boolean;
  readonly cards?: readonly Card[];
  /** Whether it runs for minutes: an emulated processor takes long to optimise code, which saves a short script nothing. */
  readonly isLong?: boolean;
  /** Hears each line that it prints, as it comes. */
  readonly onLine?: ((line: string) => void) | undefined;
}

const prober = join(import.meta.dirname, "..", "datapath", "cluster", "prober.ts");
/** Programs that call the C library ask these who they are; a machine's /etc is a copy. */
const SETTINGS = { "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "/etc/group": "root:x:0:\n" };

/** @returns its output, with the carriage returns of a serial line */
export async function runInGuest(guest: NodeGuest, timeoutSeconds: number): Promise<string> {
  const { script, args, further = [], objects, preamble, scratch, hasMachines = false, cards = [], isLong } = guest;
  const processor = guest.processor ?? guestProcessor();
  const { kernel, modules } = await debianKernel(processor, guest.series ?? "6.1");
  const programs = await guestPrograms(processor);
  const needed = modules.map((path, index) => [`/module${String(index).padStart(2, "0")}.ko`, path] as const);
  const scripts = await Promise.all([
    ...[script, ...further].map((path) => bundled(path)),
    ...(hasMachines ? [bundled(prober, "mjs")] : []),
  ]);
  const compiled = globSync(join(objects, "*.bpf.o")).map((path) => [`/objects/${basename(path)}`, readFileSync(path)]);
  return boot(
    {
      ...{ processor, kernel, hasMachines, cards, origin: programs.origin, onLine: guest.onLine },
      programs: programsFor({ machines: hasMachines, cards: cards.length > 0 }),
      tree: {
        ...nodeAndKoffi(processor, programs),
        ...(hasMachines ? await agentAndLab(processor, programs, objects) : {}),
      },
      files: {
        ...(hasMachines ? SETTINGS : {}),
        ...Object.fromEntries(compiled),
        "/preamble.bpf.o": readFileSync(preamble),
        ...Object.fromEntries(needed.map(([name, path]) => [name, readFileSync(path)])),
        ...Object.fromEntries(scripts),
      },
      script: [
        ...needed.map(([name]) => `insmod ${name}`),
        "ip link set lo up",
        "export EBPF_DATAPLANE_PATIENCE_S=900",
        `node ${isLong ? "" : "--no-opt"} ${bundlePlace(script)} /objects /preamble.bpf.o ${args.join(" ")}`,
        ...further.map((path) => `node --no-opt ${bundlePlace(path)} /objects`),
      ].join("\n"),
    },
    scratch,
    timeoutSeconds,
  );
}
