import pc from "picocolors";
import type { AttemptResult } from "../../../probe/batch.ts";
import type { Step } from "../events/step.ts";

/** A trace in readable form: one paragraph per program that handled a packet, in the given order, with its steps. */
export function stepLines(steps: readonly Step[], withNode = true): string[] {
  const first = steps[0];
  if (!first) return ["No program of this dataplane handled a packet of it."];
  const start = BigInt(first.at);
  return steps.flatMap((step) => {
    if (step.step === "arrived") {
      const where = withNode ? `${step.node} ${step.hook}` : step.hook;
      return ["", `${milliseconds(BigInt(step.at) - start)}  ${pc.bold(where)}  ${step.text}`];
    }
    const text = /DENIED|^DROPPED|^REJECTED/.test(step.text) ? pc.red(step.text) : step.text;
    return [`            ${step.step.padEnd(10)}${text}`];
  });
}

/** The client's result. */
export function attemptText({ verdict, server, source, connectMs, error }: AttemptResult): string {
  const who = server ? ` by ${server}, who saw ${source}` : "";
  const time = connectMs === undefined ? "" : ` (connected after ${connectMs.toFixed(2)} ms)`;
  return `${verdict === "allowed" ? pc.green("answered") : pc.red(verdict)}${who}${time}${error ? `: ${error}` : ""}`;
}

function milliseconds(nanoseconds: bigint): string {
  return `${(Number(nanoseconds) / 1e6).toFixed(3).padStart(8)} ms`;
}
