const WORDS: Readonly<Record<string, string>> = {
  EISDIR: "is a folder; name a file",
  ERR_FS_EISDIR: "is a folder; name a file",
  ENOTDIR: "is not below a folder; name one that exists or can be made",
  EEXIST: "is a file; name a folder",
  EACCES: "may not be written by this user",
  EPERM: "may not be written by this user",
  EROFS: "is on a file system that is read-only",
  ENOSPC: "does not fit on its file system, which is full",
};

/** A file that cannot be written, in one line; undefined: another kind of error, or not a user's mistake. */
export function fileProblem(error: unknown): string | undefined {
  const { code, path, info } = error as NodeJS.ErrnoException & { info?: { path?: string } };
  const [file, words] = [path ?? info?.path, code && WORDS[code]];
  return file && words ? `${file} ${words}.` : undefined;
}
