/** One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  path: string;
  type: string;
  source: string;
  /** Options of the file system (the superblock), not of this mount. */
  options: string[];
}

/** mountinfo writes space, tab, newline and backslash in octal. */
const decodeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

export function parseMountinfo(text: string): Mount[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      const [type = "", source = "", options = ""] = after.split(" ");
      return {
        path: decodeOctal(before.split(" ")[4] ?? ""),
        type,
        source: decodeOctal(source),
        options: options.split(","),
      };
    });
}
