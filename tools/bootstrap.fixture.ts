// A computer that is no Debian: a folder of programs, of which POSIX has most, is the whole PATH.
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { isExecutable } from "../runner/executable.ts";

/** Besides the shell's own. A `find`, `sed` or `mv` of GNU's would hide options that macOS does not have, so these are busybox's if it is here. */
const POSIX =
  "awk basename cat chmod cmp cp date dirname echo env grep head id ln ls mkdir mktemp mv rm sed sh sort tail test touch tr true wc";

/** What macOS does not have, and commands for any computer must not ask for. */
const FOREIGN =
  "apt-get bpftool cc clang containerd dpkg dpkg-query flock gcc go ip iptables mount nft nproc nsenter readlink runc setpriv sudo systemctl timeout unshare";

const BUSYBOX = "/bin/busybox";
const notInBusybox = new Set(["sh", "make"]);

export interface Programs {
  folder: string;
  /** The calls of foreign programs, one a line. */
  foreignCalls(): string;
  /** Puts a shell script in place of a program. */
  add(name: string, script: string): void;
}

/**
 * @param system what `uname -s` and `uname -m` say
 * @param without programs that are not there at all
 */
export function programsOf(folder: string, [kernel, processor]: [string, string], without: string[] = []): Programs {
  const calls = join(folder, "..", "foreign-calls");
  mkdirSync(folder, { recursive: true });
  writeFileSync(calls, "", { mode: 0o666 });
  chmodSync(calls, 0o666);
  const add = (name: string, script: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  for (const name of POSIX.split(" ").concat("make")) symlinkSync(programFor(name), join(folder, name));
  for (const name of FOREIGN.split(" ").filter((one) => !without.includes(one)))
    add(name, `echo "${name} $*" >>'${calls}'\nexit 1`);
  add("uname", `case "$1" in -m) echo ${processor} ;; *) echo ${kernel} ;; esac`);
  return { folder, add, foreignCalls: () => readFileSync(calls, "utf8") };
}

function programFor(name: string): string {
  if (!notInBusybox.has(name) && isExecutable(BUSYBOX)) return BUSYBOX;
  const folder = (process.env.PATH ?? "").split(delimiter).find((one) => isExecutable(join(one, name)));
  if (folder === undefined) throw new Error(`this test needs ${name} on PATH`);
  return join(folder, name);
}
