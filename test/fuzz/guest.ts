// A campaign on a kernel of Debian's, in a guest (test/kernels).
import { join } from "node:path";
import type { Processor } from "../../tools/images/processor.ts";
import type { Series } from "../kernels/debian-kernel.ts";
import { runInGuest } from "../kernels/node-guest.ts";

export interface Campaign {
  readonly objects: string;
  readonly preamble: string;
  readonly seed: number;
  /** For each program. */
  readonly packets: number;
  readonly scratch: string;
  /** Absent: this computer's. */
  readonly processor?: Processor;
  /** Absent: 6.1. */
  readonly series?: Series;
  /** Hears how far it is. */
  readonly onLine?: (line: string) => void;
}

/** From here on optimised code saves more than it costs: 93 s in place of 103 s with 20,000 packets for each program. */
const LONG = 20_000;

/** @returns the report, as reportText() makes it */
export async function fuzzInGuest(campaign: Campaign, timeoutSeconds: number): Promise<string> {
  const { seed, packets, ...prepared } = campaign;
  const script = join(import.meta.dirname, "inside.ts");
  const guest = { ...prepared, script, args: [`${seed}`, `${packets}`, "json"], isLong: packets >= LONG };
  const printed = await runInGuest(guest, timeoutSeconds);
  const text = printed.replaceAll("\r", "");
  const at = text.indexOf("seed ");
  if (at < 0) throw new Error(`The guest reported nothing:\n${text.slice(-3000)}`);
  return text.slice(at, text.lastIndexOf("guest ended"));
}
