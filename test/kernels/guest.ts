// A virtual machine that runs one script: a kernel and a root file system in memory, run by qemu.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/command.ts";
import { type Origin, withLibraries } from "../../tools/images/libraries.ts";
import type { Processor } from "../../tools/images/processor.ts";
import { canonical, MERGED, type Tree } from "../../tools/images/tree.ts";
import { type Card, inCardsNetwork, optionsOf } from "./cards.ts";
import { cpio, file, folder, link, type Member } from "./cpio.ts";
import { emulatorOf } from "./emulators.ts";

export interface Guest {
  processor: Processor;
  /** Path of the kernel. */
  kernel: string;
  /** Where its programs come from. */
  origin: Origin;
  /** Programs of that origin to copy to the guest, with their libraries; it also has busybox. */
  programs: readonly string[];
  /** Other files of this computer to copy, by their path in the guest. */
  tree?: Tree;
  /** Files of the guest: path to content. */
  files: Record<string, Uint8Array | string>;
  /** Shell commands it runs. /proc, /sys and /sys/fs/bpf are mounted; then the guest powers off. */
  script: string;
  /** Whether it has machines of its own: processors for them, cgroups, and a root that pivot_root(2) can leave. */
  hasMachines?: boolean;
  /** Its network cards. */
  cards?: readonly Card[];
  /** Hears each line that it prints, as it comes. */
  onLine?: ((line: string) => void) | undefined;
}

const PROCESSORS = 2;

/** Nothing leaves the root file system that a kernel starts with, so what has machines of its own begins in a copy of it. */
const MOVE = `#!/bin/busybox sh
cd /
/bin/busybox mkdir /new
/bin/busybox mount -t tmpfs -o size=90% root /new
for entry in *; do
  case $entry in new) ;; *) /bin/busybox cp -a "$entry" /new/ ;; esac
done
exec /bin/busybox switch_root /new /start
`;

const START = `#!/bin/busybox sh
/bin/busybox --install -s /usr/bin
export PATH=/usr/sbin:/usr/bin
mkdir -p /proc /sys /dev /tmp /run /root /var/lib /var/cache /opt /etc
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroups /sys/fs/cgroup
mkdir -p /dev/shm
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
  const { processor, kernel, hasMachines, cards = [], onLine } = guest;
  const initrd = join(scratch, `initrd-${processor.name}`);
  writeFileSync(initrd, cpio(rootFileSystem(guest)));
  const emulator = emulatorOf(processor);
  const append = [...emulator.append, "quiet", "panic=-1", "mitigations=off"];
  const words = [
    ...emulator.computer,
    ...["-accel", "tcg", "-m", hasMachines ? "3072" : "2048", "-smp", hasMachines ? `${PROCESSORS}` : "1"],
    ...["-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio"],
    ...cards.flatMap(optionsOf),
    ...["-kernel", kernel, "-initrd", initrd, "-append", append.join(" ")],
  ];
  const [program = "", ...args] = inCardsNetwork(cards, [emulator.program, ...words]);
  const printed = await run(program, args, { timeoutSeconds, ...(onLine && { onLine }) });
  if (/^guest ended\r*$/m.test(printed)) return printed;
  throw new Error(`The guest stopped early:\n${printed.split("\n").slice(-30).join("\n")}`);
}

function rootFileSystem({ origin, programs, tree, files, script, hasMachines }: Guest): Record<string, Member> {
  const start = { [hasMachines ? "start" : "init"]: file(START), ...(hasMachines && { init: file(MOVE) }) };
  const members: Record<string, Member> = { ...start, script: file(script), tmp: folder };
  for (const name of MERGED) Object.assign(members, { [name]: link(`usr/${name}`), [`usr/${name}`]: folder });
  members["usr/bin/busybox"] = file(readFileSync(origin.file("/bin/busybox")));
  const copied = { ...tree, ...withLibraries(Object.fromEntries(programs.map((path) => [path, path])), [], origin) };
  for (const [path, entry] of Object.entries(copied)) {
    if (entry.kind === "file") members[canonical(path).slice(1)] = file(readFileSync(entry.source));
  }
  for (const [path, content] of Object.entries(files)) members[canonical(path).slice(1)] = file(content);
  return members;
}
