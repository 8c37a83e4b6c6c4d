import { spawnSync } from "node:child_process";

/** Runs nft(8) and returns its output. @param purpose its purpose, the beginning of an error message */
export function nft(args: readonly string[], purpose: string, input = ""): string {
  const { status, stdout, stderr, error } = spawnSync("nft", args, { input, encoding: "utf8", maxBuffer: 256 << 20 });
  if (error) throw new Error(`Cannot run nft: ${error.message}. Next: is nftables installed?`);
  if (status !== 0) throw new Error(`${purpose}: ${stderr.trim()}`);
  return stdout;
}

/** Applies a script as one transaction. */
export function nftTransaction(script: string, purpose: string): void {
  nft(["--file", "-"], purpose, script);
}
