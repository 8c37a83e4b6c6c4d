import { execFile } from "node:child_process";
import { promisify } from "node:util";

const running = promisify(execFile);

/** Bytes of output. */
const MOST_BYTES = 256 << 20;
/** Only a command that hangs takes so long. */
const PATIENCE_MS = 60_000;

/** Runs a command and returns what it prints, while other work continues. One that hangs is ended: the round that waits for it would keep every later
 * change from the kernel. */
export async function outputOf(file: string, args: readonly string[], patienceMs = PATIENCE_MS): Promise<string> {
  try {
    const options = { maxBuffer: MOST_BYTES, timeout: patienceMs, killSignal: "SIGKILL" } as const;
    return (await running(file, args, options)).stdout;
  } catch (error) {
    if (!(error as { killed?: boolean }).killed) throw error;
    throw new Error(`"${[file, ...args].join(" ")}" did not end within ${patienceMs / 1000} s and was killed`);
  }
}
