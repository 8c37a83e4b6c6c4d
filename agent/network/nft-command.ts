import { spawnSync } from "node:child_process";
import { outputOf } from "./run-command.ts";

const MOST_BYTES = 256 << 20;

/** Runs nft(8) and returns its output. @param purpose its purpose, the beginning of an error message */
export function nft(args: readonly string[], purpose: string, input = ""): string {
  const { status, stdout, stderr, error } = spawnSync("nft", args, { input, encoding: "utf8", maxBuffer: MOST_BYTES });
  if (error) throw notRun(error);
  if (status !== 0) throw new Error(`${purpose}: ${stderr.trim()}`);
  return stdout;
}

/** The same, while other work continues. */
export async function nftSoon(args: readonly string[], purpose: string): Promise<string> {
  try {
    return await outputOf("nft", args);
  } catch (error) {
    const { code, stderr = "", message } = error as { code?: unknown; stderr?: string; message: string };
    if (code === "ENOENT" || code === "EACCES") throw notRun(error as Error);
    throw new Error(`${purpose}: ${stderr.trim() || message}`);
  }
}

function notRun({ message }: Error): Error {
  return new Error(`Cannot run nft: ${message}. Next: is nftables installed?`);
}

/** Applies a script as one transaction. */
export function nftTransaction(script: string, purpose: string): void {
  nft(["--file", "-"], purpose, script);
}
