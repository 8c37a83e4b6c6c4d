// A virtual machine that runs one script: a kernel and a root file system in memory, run by qemu.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/command.ts";
import { withLibraries } from "../../tools/images/libraries.ts";
import { canonical, MERGED, type Tree } from "../../tools/images/tree.ts";
import { cpio, file, folder, link, type Member } from "./cpio.ts";

export interface Guest {
  /** Path of the kernel. */
  kernel: string;
  /** Programs of this computer to copy to the guest, with their libraries; it also has busybox. */
  programs: string[];
  /** Other files of this computer to copy, by their path in the guest. */
  tree?: Tree;
  /** Files of the guest: path to content. */
  files: Record<string, Uint8Array>;
  /** Shell commands it runs. /proc, /sys and /sys/fs/bpf are mounted; then the guest powers off. */
  script: string;
  /** Hears each line that it prints, as it comes. */
  onLine?: (line: string) => void;
}

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /usr/bin
export PATH=/usr/sbin:/usr/bin
mkdir -p /proc /sys /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
ulimit -l unlimited
sh /script
echo guest ended
poweroff -f
`;

/**
 * Boots the guest and waits until it powers off.
 * @param scratch a folder for the file that qemu reads
 * @returns what it printed on its serial line
 * @throws Error with the last lines if it stopped early
 */
export async function boot(guest: Guest, scratch: string, timeoutSeconds: number): Promise<string> {
  const initrd = join(scratch, "initrd");
  writeFileSync(initrd, cpio(rootFileSystem(guest)));
  // Software emulation: KVM is often missing or broken on virtual machines.
  const machine = ["-accel", "tcg", "-m", "2048", "-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio"];
  // Its check of the timer counts instructions meanwhile, and fails where other work keeps the emulator waiting.
  const append = "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check";
  const printed = await run(
    "qemu-system-x86_64",
    [...machine, "-kernel", guest.kernel, "-initrd", initrd, "-append", append],
    { timeoutSeconds, onLine: guest.onLine },
  );
  if (/^guest ended\r*$/m.test(printed)) return printed;
  throw new Error(`The guest stopped early:\n${printed.split("\n").slice(-30).join("\n")}`);
}

/** The reason why no guest can run here, or undefined. */
export function whyNoGuest(): string | undefined {
  if (process.arch !== "x64")
    return "SKIP: the second kernel is for x86_64, so this computer's programs cannot run on it";
  const missing = ["/usr/bin/qemu-system-x86_64", "/bin/busybox"].find((program) => !existsSync(program));
  return missing && `SKIP: ${missing} is not installed (packages qemu-system-x86 and busybox-static)`;
}

function rootFileSystem({ programs, tree, files, script }: Guest): Record<string, Member> {
  const members: Record<string, Member> = { init: file(INIT), script: file(script), tmp: folder };
  for (const name of MERGED) Object.assign(members, { [name]: link(`usr/${name}`), [`usr/${name}`]: folder });
  members["usr/bin/busybox"] = file(readFileSync("/bin/busybox"));
  const copied = { ...tree, ...withLibraries(Object.fromEntries(programs.map((path) => [path, path]))) };
  for (const [path, entry] of Object.entries(copied)) {
    if (entry.kind === "file") members[canonical(path).slice(1)] = file(readFileSync(entry.source));
  }
  for (const [path, content] of Object.entries(files)) members[canonical(path).slice(1)] = file(content);
  return members;
}
