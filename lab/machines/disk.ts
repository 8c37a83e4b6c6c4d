import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LAB_SWITCH } from "../../components/documents/defaults.ts";
import { patiently } from "../../kubernetes/patience.ts";
import { machineDisk } from "../names.ts";
import { attempt, commandFailure } from "./command.ts";
import type { NetworkMachine } from "./network.ts";

/** Folders of /etc that machines share with the host. */
export const sharedSettings = ["alternatives", "ssl"];

/** Folders in a machine's own /var; on the host, Debian packages created them. */
const varFolders = [
  "cache",
  "lib/cni",
  "lib/containerd",
  "lib/etcd",
  "lib/kubelet",
  "log/containers",
  "log/pods",
  "tmp",
];

/** Folders of the host's /etc that programs of a machine read. Those of other programs (X11, Java, fonts …) are hundreds of files, which every
 * machine would copy. */
const copiedFolders = new Set([
  ...[
    "bird",
    "containers",
    "default",
    "iproute2",
    "ld.so.conf.d",
    "modules-load.d",
    "network",
    "pam.d",
    "perl",
    "profile.d",
  ],
  ...["python3", "python3.11", "security", "selinux", "ssh", "sysctl.d", "terminfo"],
]);

/** Files of the host's /etc that are not copied: a machine has its own. */
const notCopied = new Set(["machine-id"]);

/** Another program of the host may replace a file meanwhile, so that what was listed is gone. */
class Vanished extends Error {}

/** Message of `cp` for this case in the locale C. Any other error, such as a full disk, would be the same a moment later. */
const GONE = /^cp: cannot (stat|open|access) .*: No such file or directory$/;
/** Limits the attempts on a host where files vanish all the time. */
const COPY_MS = 120_000;

async function copyHostSettings(etc: string): Promise<void> {
  await Promise.all(sharedSettings.map((name) => mkdir(join(etc, name), { recursive: true })));
  const limitMs = (error: Error) => (error instanceof Vanished ? COPY_MS : 0);
  await patiently(() => copyOnce("/etc", etc), { limitMs, everyMs: 100 });
}

async function copyOnce(from: string, etc: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true });
  const copied = entries
    .filter((entry) => (entry.isDirectory() ? copiedFolders.has(entry.name) : !notCopied.has(entry.name)))
    .map(({ name }) => join(from, name));
  await copy(["cp", "--archive", "--target-directory", etc, ...copied]);
}

/** @throws Vanished if the only error is that files no longer exist */
export async function copy(command: string[]): Promise<void> {
  const result = await attempt(command, { env: { LC_ALL: "C" } });
  if (result.status === 0) return;
  const failure = commandFailure("copy /etc for a machine", command, result);
  if (
    result.stderr
      .trim()
      .split("\n")
      .every((line) => GONE.test(line))
  )
    throw new Vanished(failure.message);
  throw failure;
}

async function writeIdentity(
  etc: string,
  machine: string,
  neighbours: NetworkMachine[],
  gateway: string,
): Promise<void> {
  const hosts = [
    "127.0.0.1 localhost",
    "::1 localhost",
    ...neighbours.map(({ name, address }) => `${address} ${name}`),
  ];
  await rm(join(etc, "resolv.conf"), { force: true }); // on many hosts a link into /run
  await writeFile(join(etc, "hosts"), `${hosts.join("\n")}\n`);
  await writeFile(join(etc, "hostname"), `${machine}\n`);
  // No DNS server listens there, so queries are refused at once: names outside the cluster fail fast.
  await writeFile(join(etc, "resolv.conf"), `nameserver ${gateway}\n`);
}

/**
 * Creates a machine's disk, which survives reboots. On an existing disk, only the names of the neighbors are updated.
 * @param settings settings of the machine's image, for the bootstrap of a machine that becomes a node.
 * @param gateway the machine's default gateway.
 */
export async function ensureDisk(
  lab: string,
  machine: string,
  neighbours: NetworkMachine[],
  settings?: string,
  gateway = LAB_SWITCH,
): Promise<void> {
  const disk = machineDisk(lab, machine);
  if (existsSync(disk)) return writeIdentity(join(disk, "etc"), machine, neighbours, gateway);
  // Under another name until it is complete, so that an existing disk is always valid.
  const draft = `${disk}.new`;
  await rm(draft, { recursive: true, force: true });
  const folders = ["opt/cni/bin", "tmp", "root", ...varFolders.map((folder) => `var/${folder}`)];
  await Promise.all(folders.map((folder) => mkdir(join(draft, folder), { recursive: true })));
  await symlink("/run", join(draft, "var/run"));
  await copyHostSettings(join(draft, "etc"));
  await mkdir(join(draft, "etc/cni/net.d"), { recursive: true });
  await mkdir(join(draft, "etc/kubernetes"), { mode: 0o700 });
  await writeIdentity(join(draft, "etc"), machine, neighbours, gateway);
  await writeFile(join(draft, "etc/machine-id"), `${randomBytes(16).toString("hex")}\n`); // machine-id(5)
  if (settings !== undefined) {
    await mkdir(join(draft, "etc/default"), { recursive: true });
    await writeFile(join(draft, "etc/default/kubernetes-bootstrap"), settings);
  }
  await rename(draft, disk);
}
