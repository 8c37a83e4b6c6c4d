import { execFileSync, spawnSync } from "node:child_process";
import { outputOf } from "./run-command.ts";

const MOST_BYTES = 1 << 28;

/** Runs `ip -json …` and parses its output. */
export function ipJson<T>(...args: string[]): T[] {
  return parsed(execFileSync("ip", ["-json", ...args], { encoding: "utf8", maxBuffer: MOST_BYTES }));
}

/** The same, while other work continues. */
export async function ipJsonSoon<T>(...args: string[]): Promise<T[]> {
  return parsed(await outputOf("ip", ["-json", ...args]));
}

/** The same in a network namespace. */
export async function ipJsonIn<T>(netns: string, ...args: string[]): Promise<T[]> {
  return parsed(await outputOf("nsenter", [`--net=${netns}`, "ip", "-json", ...args]));
}

function parsed<T>(text: string): T[] {
  // `ip -json` prints nothing, or [{}…], if no element of a list matches.
  return (JSON.parse(text || "[]") as T[]).filter((entry) => Object.keys(entry as object).length > 0);
}

/** Runs `ip` with one line of output per object, for cases where its JSON is ambiguous. */
export function ipLines(...args: string[]): string[] {
  return linesOf(execFileSync("ip", ["-oneline", ...args], { encoding: "utf8", maxBuffer: MOST_BYTES }));
}

/** The same, while other work continues. */
export async function ipLinesSoon(...args: string[]): Promise<string[]> {
  return linesOf(await outputOf("ip", ["-oneline", ...args]));
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

const BATCH = ["-force", "-batch", "-"];

/** Runs many `ip` commands in one process. Continues after a failed command, then throws with the failed commands. */
export function ipBatch(commands: readonly string[]): void {
  if (commands.length === 0) return;
  const input = `${commands.join("\n")}\n`;
  const { status, stderr, error } = spawnSync("ip", BATCH, { input, encoding: "utf8" });
  if (error) throw notRun("ip", error);
  if (status !== 0) throw new IpError(stderr.trim(), commands);
}

function notRun(file: string, { message }: Error): Error {
  return new Error(`Cannot run ${file}: ${message}. Next: is it installed?`);
}

/** Runs one `ip` command in a network namespace, without waiting for it. */
export async function ipIn(netns: string, ...args: string[]): Promise<void> {
  await outputOf("nsenter", [`--net=${netns}`, "ip", ...args]);
}

/** Some commands of a batch failed. */
class IpError extends Error {
  constructor(stderr: string, commands: readonly string[]) {
    // iproute2 names the line: "Command failed -:3".
    const failed = [...stderr.matchAll(/Command failed -:(\d+)/g)].map((match) => commands[Number(match[1]) - 1]);
    const reason = stderr.replace(/Command failed -:\d+\s*/g, "").trim();
    super(`ip failed to run "${failed.join('", "') || commands.join('", "')}": ${reason}`);
    this.name = "IpError";
  }
}
