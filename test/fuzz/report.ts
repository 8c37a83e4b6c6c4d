// A campaign's result as text: how many packets had each outcome, and each kind of failure with packets to replay.
import type { Failure, Report } from "./campaign.ts";

const GOOD = "every packet in one outcome, nothing delivered that the model does not allow";

/** Of what reportText() made. */
export const isGoodText = (text: string): boolean => text.split(/\r*\n/).includes(GOOD);

export function isGood({ failures }: Report): boolean {
  return failures.size === 0;
}

export function reportText({ seed, packets, outcomes, failures }: Report, kernel: string): string {
  const lines = [`seed ${seed}, kernel ${kernel}`];
  for (const [program, count] of Object.entries(packets)) {
    const ended = [...outcomes]
      .filter(([key]) => key.startsWith(`${program} `))
      .sort(([, a], [, b]) => b - a)
      .map(([key, times]) => `${key.slice(program.length + 1)} ${times}`);
    lines.push(`${program}: ${count} packets: ${ended.join(", ")}`);
  }
  for (const { rule, count, first } of failures.values())
    lines.push("", `FAILED, "${rule}": ${count} packets`, ...first.flatMap(failureLines));
  lines.push("", failures.size === 0 ? GOOD : "");
  return lines.join("\n");
}

function failureLines({ why, became, index, meeting, frame }: Failure): string[] {
  return [`  ${why}`, `    became: ${became}`, `    packet ${index}: ${JSON.stringify(meeting)}`, `    ${frame}`];
}
