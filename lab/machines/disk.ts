import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LAB_SWITCH } from "../../components/documents/defaults.ts";
import { machineDisk } from "../names.ts";
import { run } from "./command.ts";
import type { NetworkMachine } from "./network.ts";

/** Folders of /etc that machines see as the host has them. */
export const sharedSettings = ["alternatives", "ssl"];

/** Folders that a machine finds in its own /var; Debian's packages made them on the host's. */
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

/** Of the host's /etc: what belongs to another cluster, or to nobody inside; and hundreds of links that are shared instead. */
const notCopied = new Set(["kubernetes", "cni", "containerd", "machine-id", ...sharedSettings]);

async function copyHostSettings(etc: string): Promise<void> {
  await Promise.all(sharedSettings.map((name) => mkdir(join(etc, name), { recursive: true })));
  const copied = (await readdir("/etc")).filter((name) => !notCopied.has(name)).map((name) => join("/etc", name));
  await run(["cp", "--archive", "--target-directory", etc, ...copied], { purpose: "copy /etc for a machine" });
}

async function writeIdentity(etc: string, machine: string, neighbours: NetworkMachine[]): Promise<void> {
  const hosts = [
    "127.0.0.1 localhost",
    "::1 localhost",
    ...neighbours.map(({ name, address }) => `${address} ${name}`),
  ];
  await rm(join(etc, "resolv.conf"), { force: true }); // on many hosts a link into /run
  await writeFile(join(etc, "hosts"), `${hosts.join("\n")}\n`);
  await writeFile(join(etc, "hostname"), `${machine}\n`);
  // Nobody answers there, and the refusal comes at once: names outside the cluster fail fast.
  await writeFile(join(etc, "resolv.conf"), `nameserver ${LAB_SWITCH}\n`);
}

/**
 * Makes a machine's disk: what it keeps when it is booted again. One that exists is only told its neighbours' names.
 * @param settings what the machine's image knows of itself, for the bootstrap of a machine that shall be a node.
 */
export async function ensureDisk(
  lab: string,
  machine: string,
  neighbours: NetworkMachine[],
  settings?: string,
): Promise<void> {
  const disk = machineDisk(lab, machine);
  if (existsSync(disk)) return writeIdentity(join(disk, "etc"), machine, neighbours);
  // Under another name until it is whole: a disk that is there is a good one.
  const draft = `${disk}.new`;
  await rm(draft, { recursive: true, force: true });
  const folders = ["opt/cni/bin", "tmp", "root", ...varFolders.map((folder) => `var/${folder}`)];
  await Promise.all(folders.map((folder) => mkdir(join(draft, folder), { recursive: true })));
  await symlink("/run", join(draft, "var/run"));
  await copyHostSettings(join(draft, "etc"));
  await mkdir(join(draft, "etc/cni/net.d"), { recursive: true });
  await mkdir(join(draft, "etc/kubernetes"), { mode: 0o700 });
  await writeIdentity(join(draft, "etc"), machine, neighbours);
  await writeFile(join(draft, "etc/machine-id"), `${randomBytes(16).toString("hex")}\n`); // machine-id(5)
  if (settings !== undefined) {
    await mkdir(join(draft, "etc/default"), { recursive: true });
    await writeFile(join(draft, "etc/default/kubernetes-bootstrap"), settings);
  }
  await rename(draft, disk);
}
