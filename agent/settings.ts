import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { agentSettingsSchema } from "../components/documents/agent-settings.ts";

export type Settings = z.output<typeof agentSettingsSchema>;

/** Reads the document that the Dataplane component wrote. If the file is missing, all defaults apply. */
export function readSettings(path: string): Settings {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "{}";
  const result = agentSettingsSchema.safeParse(parse(text, path));
  if (result.success) return result.data;
  throw new Error(`Settings ${path}:\n${z.prettifyError(result.error)}`);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Settings ${path} is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
}
