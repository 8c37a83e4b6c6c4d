import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PLUGIN } from "../cni/install.ts";
import type { NodeReport } from "./report.ts";

/** The network plugins in a configuration folder, except this project's. Files that are not valid JSON contain none. */
export function otherPlugins(folder: string): NodeReport["plugins"] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /\.(conf|conflist|json)$/.test(file))
    .sort()
    .map((file) => ({ file, types: typesOf(readFileSync(join(folder, file), "utf8")) }))
    .filter(({ types }) => !types.includes(PLUGIN));
}

interface Configuration {
  type?: string;
  plugins?: { type?: string }[];
}

function typesOf(text: string): string[] {
  try {
    const { type, plugins = [] } = JSON.parse(text) as Configuration;
    return [type, ...plugins.map((plugin) => plugin.type)].filter((name) => name !== undefined);
  } catch {
    return [];
  }
}
