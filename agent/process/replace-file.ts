import { renameSync, rmSync } from "node:fs";

/** Has a file written beside its place, and moves it there. A reader sees the old content or the new one, even if this process is killed
 * meanwhile. If the file cannot be written, throws, and leaves the old content and no draft: on a full disk that would take the last room. */
export function replaceFile(path: string, write: (draft: string) => void): void {
  const draft = `${path}.new`;
  try {
    write(draft);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
