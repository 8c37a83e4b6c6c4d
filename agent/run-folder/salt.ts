import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const BYTES = 16;

/** This node's salt: created once and kept, so that numbers are the same after a restart and nothing has to be rewritten. If it is
 * damaged or cannot be saved, a new one is used, and the maps are written completely. */
export function keptSalt(file: string): string {
  const kept = read(file);
  if (kept) return kept;
  const salt = randomBytes(BYTES).toString("hex");
  try {
    writeFileSync(file, salt, { mode: 0o600 });
  } catch {
    // The run folder is full or read-only, which the agent reports anyway (writable.ts).
  }
  return salt;
}

function read(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8");
    return text.length === 2 * BYTES ? text : undefined;
  } catch {
    return undefined;
  }
}
