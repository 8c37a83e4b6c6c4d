// A campaign on Debian's kernel 6.1, in a guest (test/kernels).
import { join } from "node:path";
import { runInGuest } from "../kernels/node-guest.ts";

export interface Campaign {
  readonly objects: string;
  readonly preamble: string;
  readonly seed: number;
  /** For each program. */
  readonly packets: number;
  readonly scratch: string;
}

/** @returns the report, as reportText() makes it */
export async function fuzzInGuest(campaign: Campaign, timeoutSeconds: number): Promise<string> {
  const { seed, packets, ...prepared } = campaign;
  const script = join(import.meta.dirname, "inside.ts");
  const printed = await runInGuest({ ...prepared, script, args: [`${seed}`, `${packets}`] }, timeoutSeconds);
  const text = printed.replaceAll("\r", "");
  const at = text.indexOf("seed ");
  if (at < 0) throw new Error(`The guest reported nothing:\n${text.slice(-3000)}`);
  return text.slice(at, text.lastIndexOf("guest ended"));
}
