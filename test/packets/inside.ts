// Programs that measure in network and mount namespaces of their own, on request.
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";

/** The one on which all run in turn that are compared. */
const SAME_CPU = `${cpus().length - 1}`;
/** For a program with threads of its own. */
export const EVERY_CPU = `0-${cpus().length - 1}`;

/** @param args of node: its options, the program, its arguments */
export function spawnInside(
  args: readonly string[],
  stdio: StdioOptions,
  env: NodeJS.ProcessEnv = {},
  on = SAME_CPU,
): ChildProcess {
  const script = 'mount -t bpf bpf /sys/fs/bpf && exec "$0" "$@"';
  const node = [process.execPath, "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", ...args];
  const namespaces = ["--net", "--mount", "--propagation", "private", "sh", "-c", script];
  return spawn("taskset", ["--cpu-list", on, "unshare", ...namespaces, ...node], {
    stdio,
    env: { ...process.env, ...env },
  });
}

/** One that answers requests, once it is ready. */
export async function startInside(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const child = spawnInside(args, ["ignore", "inherit", "inherit", "ipc"], env);
  await answer(child);
  return child;
}

export async function ask(child: ChildProcess, request: string | number): Promise<unknown> {
  child.send(request);
  return answer(child);
}

async function answer(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const died = once(child, "exit", { signal: ended.signal }).then(([code]) => {
    throw new Error(`A part could not be measured: its process ended with ${code}.`);
  });
  try {
    return (await Promise.race([once(child, "message"), died]))[0];
  } finally {
    ended.abort();
    died.catch(() => undefined);
  }
}
