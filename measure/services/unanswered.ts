// kube-proxy may need longer for its first synchronization than a measurement can wait: that mode has no figure then, and
// the others are measured.
import { stopMachine } from "../../lab/machines/machine.ts";
import { type Mode, machineOf } from "./testbed.ts";
import { NotAnswered } from "./watcher.ts";

/** Timeout for services to answer, seconds. */
export const PATIENCE = 300;

/** A mode whose services did not answer in time. */
export interface Unanswered {
  readonly mode: Mode;
  readonly services: number;
  /** Of each service. */
  readonly endpoints: number;
  /** How long they were waited for. */
  readonly seconds: number;
}

/** @returns what was measured; nothing where kube-proxy's services did not answer, which `all` gets. Ours have to answer. */
export async function unlessUnanswered<Result>(
  { mode, services, endpoints }: Omit<Unanswered, "seconds">,
  lab: string,
  all: Unanswered[],
  measure: () => Promise<Result>,
): Promise<[Result] | []> {
  try {
    return [await measure()];
  } catch (error) {
    if (!(error instanceof NotAnswered) || mode === "Ebpf") throw error;
    // What it still writes would disturb the others.
    await stopMachine(lab, machineOf(mode));
    all.push({ mode, services, endpoints, seconds: PATIENCE });
    return [];
  }
}
