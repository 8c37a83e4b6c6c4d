import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import type { AgentSettings } from "../components/documents/agent-settings.ts";
import { SERVICE_NETWORK } from "../components/documents/defaults.ts";

const settingsSchema = z.strictObject({
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  serviceSubnet: z.string().default(SERVICE_NETWORK),
  mtu: z.int().min(576).max(65_535).optional(),
  uplinks: z.array(z.string().min(1)).optional(),
}) satisfies z.ZodType<AgentSettings>;

export type Settings = z.infer<typeof settingsSchema>;

/** Reads the document that the Dataplane component wrote. A missing file means: all defaults. */
export function readSettings(path: string): Settings {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "{}";
  const result = settingsSchema.safeParse(parse(text, path));
  if (result.success) return result.data;
  throw new Error(`Settings ${path}:\n${z.prettifyError(result.error)}`);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Settings ${path}: no JSON: ${error instanceof Error ? error.message : error}`);
  }
}
