import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { selectImages } from "../cluster/images.ts";
import { releasesFolder } from "../installation.ts";
import { ensureDisk } from "../machines/disk.ts";
import { startMachine, stopMachine } from "../machines/machine.ts";
import { machineDisk, machineFolder } from "../names.ts";
import { metadataAddress } from "./metadata.ts";
import { authorityFiles } from "./place.ts";
import type { CloudInstance, CloudSpec } from "./spec.ts";

/** Settings of this machine image: no systemd, no permission to lower OOM scores, and possibly cgroup v1. */
const imageSettings = `RELEASES=${releasesFolder}
CGROUP_DRIVER=cgroupfs
RESTRICT_OOM_SCORE=true
ETCD_ARGUMENTS=unsafe-no-fsync=true
KUBELET_SETTINGS='failCgroupV1: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}'
`;

/** Where the machine's first process looks for the user data, as cloud-init would leave it. */
const userDataFile = "var/lib/cloud/instance/user-data.txt";

/** Boots an instance whose network exists. Does not wait for its user data to finish. */
export async function bootInstance(cloud: CloudSpec, instance: CloudInstance): Promise<void> {
  const { name, userData } = instance;
  const endpoint = { name: `ssm.${cloud.region}.amazonaws.com`, address: metadataAddress };
  const isNew = !existsSync(machineDisk(cloud.name, name));
  await ensureDisk(cloud.name, name, [instance, endpoint], userData === undefined ? undefined : imageSettings);
  if (userData !== undefined && isNew) await furnish(cloud.name, instance);
  await startMachine(cloud.name, name, userData === undefined ? [] : ["containerd", "kubelet", "bootstrap"]);
}

/** Writes what a machine image with Kubernetes contains, and the user data. */
async function furnish(lab: string, { name, userData = "" }: CloudInstance): Promise<void> {
  const disk = (...path: string[]) => join(machineDisk(lab, name), ...path);
  const images = selectImages([]);
  await mkdir(disk("opt/kubernetes/images"), { recursive: true });
  for (const [index, { file }] of images.entries()) await symlink(file, disk(`opt/kubernetes/images/${index}.tar`));
  await mkdir(disk(userDataFile, ".."), { recursive: true });
  await copyFile(authorityFiles(lab).certificate, disk("var/lib/cloud/authority.pem"));
  await writeFile(disk("root/.curlrc"), "cacert = /var/lib/cloud/authority.pem\n");
  await writeFile(disk(userDataFile), userData, { mode: 0o600 });
}

/** Removes an instance with its disk, as AWS does with spot instances. The cluster is not notified. */
export async function terminateInstance(lab: string, machine: string): Promise<void> {
  await stopMachine(lab, machine);
  await rm(machineFolder(lab, machine), { recursive: true, force: true });
}
