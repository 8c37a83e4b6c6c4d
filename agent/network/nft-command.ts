import { spawnSync } from "node:child_process";

/** Runs nft(8) and gives its output. @param purpose what it is for, as the message of a failure begins */
export function nft(args: readonly string[], purpose: string, input = ""): string {
  const { status, stdout, stderr, error } = spawnSync("nft", args, { input, encoding: "utf8", maxBuffer: 256 << 20 });
  if (error) throw new Error(`Cannot run nft: ${error.message}. Next: is nftables installed?`);
  if (status !== 0) throw new Error(`${purpose}: ${stderr.trim()}`);
  return stdout;
}

/** Writes a script as one transaction: all of it, or nothing. */
export function nftTransaction(script: string, purpose: string): void {
  nft(["--file", "-"], purpose, script);
}
