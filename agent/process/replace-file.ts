import { renameSync, rmSync } from "node:fs";

/** Has a file written beside its place, and moves it there. A reader sees the old content or the new one, even if this process is killed
 * meanwhile. If the file cannot be written, it keeps the old content, and no draft is left: on a full disk that would take the last room.
 * @throws Error that names the file, as that of a full disk does not, and the next step */
export function replaceFile(path: string, write: (draft: string) => void): void {
  const draft = `${path}.new`;
  try {
    write(draft);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new Error(`cannot write ${path}: ${obstacle(error as NodeJS.ErrnoException)}`, { cause: error });
  }
}

function obstacle({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOSPC" || code === "EDQUOT") return "its disk is full. Next: free space there";
  return `${message}. Next: see what its folder on the node allows`;
}
