import { existsSync, readFileSync } from "node:fs";
import type { z } from "zod";
import { agentSettingsSchema } from "../components/documents/agent-settings.ts";
import { faultsOf, inWords } from "../components/documents/faults.ts";

export type Settings = z.output<typeof agentSettingsSchema>;

/** Reads the document that the Dataplane component wrote. If the file is missing, all defaults apply. */
export function readSettings(path: string): Settings {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "{}";
  const document = parse(text, path);
  const faults = faultsOf(agentSettingsSchema, document);
  if (faults.length > 0) throw new Error(`Settings ${path}:\n  ${faults.map(inWords).join("\n  ")}`);
  return agentSettingsSchema.parse(document);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Settings ${path} is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
}
