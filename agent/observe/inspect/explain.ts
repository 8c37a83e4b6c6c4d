import { readEvents } from "../events/client.ts";
import type { NodeAnswer } from "../explain/answers.ts";
import { explanationLines } from "../explain/explanation-lines.ts";

export interface ExplainOptions {
  readonly json?: boolean;
  readonly protocol: string;
  readonly sourcePort?: string;
  readonly runDirectory: string;
}

/** Asks this node's agent what policies decide about a flow between two addresses. @param to ADDRESS:PORT; for ICMP ADDRESS:TYPE/CODE */
export async function printExplanation(from: string, to: string, options: ExplainOptions): Promise<void> {
  const [, address = "", port = "", code] = /^(.+):(\d+)(?:\/(\d+))?$/.exec(to) ?? [];
  const isIcmp = options.protocol === "icmp";
  if (!address || (code !== undefined) !== isIcmp)
    throw new Error(`"${to}" is not a valid destination; allowed: ${isIcmp ? "ADDRESS:TYPE/CODE" : "ADDRESS:PORT"}.`);
  const query = new URLSearchParams({
    from,
    to: address.replace(/^\[(.*)\]$/, "$1"),
    protocol: options.protocol,
    port: String(isIcmp ? (Number(port) << 8) | Number(code) : port),
    ...(options.sourcePort !== undefined && { sourcePort: options.sourcePort }),
  });
  const answers: NodeAnswer[] = [];
  const take = (answer: unknown) => answers.push(answer as NodeAnswer);
  await readEvents(options.runDirectory, `/explain?${query}`, take, new AbortController().signal);
  if (options.json) for (const answer of answers) console.log(JSON.stringify(answer));
  else console.log(explanationLines(answers).join("\n"));
}
