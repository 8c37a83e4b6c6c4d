import { chmodSync, mkdirSync, statSync } from "node:fs";

/** Makes a folder of the agent's on its node, which nobody but root enters: names of pods and policies are in it. One that kubelet
 * or an earlier version made becomes private too. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  // On a read-only file system only what is to be changed fails.
  if ((statSync(path).mode & 0o777) !== 0o700) chmodSync(path, 0o700);
}

/** From now on what this process writes is root's alone, whatever its place: sockets, states, logs and pins too. */
export function writePrivately(): void {
  process.umask(0o077);
}
