import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readFlowLog } from "../model/flow/read.ts";
import { type SeenFlows, seenFlows } from "../model/flow/seen.ts";
import { forbidsWith, type InForce, readInForce } from "./in-force.ts";
import { suggestionTypescript, suggestionYaml } from "./print.ts";
import { suggestPolicies } from "./suggest.ts";

export interface SuggestOptions {
  namespace?: string;
  /** A file of objects that stay in force. */
  policies?: string;
  typescript: boolean;
  out?: string;
}

/** Prints or writes the proposed policies. @returns the exit status: 2 if the log cannot be read */
export function suggestCommand(
  path: string,
  { namespace, policies, typescript, out }: SuggestOptions,
  isCheckout: boolean,
): number {
  let text: string;
  let inForce: InForce | undefined;
  try {
    if (policies !== undefined) inForce = readInForce(readFileSync(policies, "utf8"));
  } catch (error) {
    console.error(
      `${policies} cannot be used: ${(error as Error).message}. Next: write the objects that stay in force there, as \`kubectl get -o yaml\` shows them.`,
    );
    return 2;
  }
  try {
    text = proposal(readFileSync(path === "-" ? 0 : path, "utf8"), path, { namespace, typescript, inForce });
  } catch (error) {
    console.error(
      `${path} cannot be used: ${(error as Error).message}. Next: ${isCheckout ? "make flows" : "ebpf-dataplane flows"}.`,
    );
    return 2;
  }
  if (out === undefined) process.stdout.write(text);
  else {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, text);
    console.error(`wrote ${out}`);
  }
  return 0;
}

interface Wanted extends Pick<SuggestOptions, "namespace" | "typescript"> {
  readonly inForce: InForce | undefined;
}

function proposal(log: string, path: string, { namespace, typescript, inForce }: Wanted): string {
  const { lines, unreadable } = readFlowLog(log);
  const seen = seenFlows(lines);
  const wanted = namespace === undefined ? undefined : new Set(namespace.split(",").map((one) => one.trim()));
  const alone = suggestPolicies(seen, wanted);
  const suggestion = inForce ? suggestPolicies(seen, wanted, forbidsWith(inForce, seen, alone)) : alone;
  if (suggestion.policies.length === 0) throw new Error(`it has no flow of pods${namespace ? ` of ${namespace}` : ""}`);
  const print = typescript ? suggestionTypescript : suggestionYaml;
  return print(suggestion, heading(seen, path, unreadable));
}

function heading({ from = 0, until = 0, nodes, unnamed }: SeenFlows, path: string, unreadable: number): string[] {
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  return [
    `Proposed from ${path}: flows of ${nodes.join(", ")} from ${time(from)} to ${time(until)}.`,
    "Connections that were not seen in this time are denied. Preview the policies before you apply them.",
    ...(unnamed > 0
      ? [`The log counts ${unnamed} connections and packets that it does not name: they may be denied.`]
      : []),
    ...(unreadable > 0 ? [`${unreadable} lines of the log could not be read.`] : []),
  ];
}
