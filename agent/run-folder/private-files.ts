import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { replaceFile } from "../process/replace-file.ts";

/** Creates a folder of the agent that only root can enter, because it contains names of pods and policies. A folder that kubelet
 * or an earlier version created becomes private too. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  // On a read-only file system only actual changes fail.
  if ((statSync(path).mode & 0o777) !== 0o700) chmodSync(path, 0o700);
}

/** From now on only root can access the files of this process: sockets, state, logs and pins. */
export function writePrivately(): void {
  process.umask(0o077);
}

/** Writes a file that only root reads, whole or not at all. */
export function replacePrivately(path: string, text: string): void {
  replaceFile(path, (draft) => writeFileSync(draft, text, { mode: 0o600 }));
}
