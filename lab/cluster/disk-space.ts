import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { LabMachine } from "../../components/documents/lab.ts";
import { LabFailure } from "../failure.ts";
import { labsFolder, machineDisk } from "../names.ts";

const MIB = 2 ** 20;

/** Bytes that a machine's disk has a minute after `up`, images unpacked, rounded down. */
const NEEDED: Record<LabMachine["role"], number> = {
  "control-plane": 900 * MIB,
  worker: 450 * MIB,
  client: 5 * MIB,
  router: 5 * MIB,
};

/** Bytes that root can still write where a folder is, or will be. */
export function availableSpace(folder = labsFolder): number {
  if (!existsSync(folder)) return availableSpace(dirname(folder));
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/**
 * What fails on a full disk says anything but that.
 * @param booting the machines that are to be started; those that have a disk need no other
 * @throws LabFailure (exit code 2) if there is too little space for the disks of the others
 */
export function requireSpace(lab: string, booting: LabMachine[], available = availableSpace()): void {
  const made = booting.filter(({ name }) => !existsSync(machineDisk(lab, name)));
  const needed = made.reduce((sum, { role }) => sum + NEEDED[role], 0);
  if (needed <= available) return;
  const names = made.map(({ name }) => name).join(", ");
  throw new LabFailure(
    `lab ${lab} needs at least ${mib(needed)} MiB of disk for ${names}, and ${labsFolder} has ${mib(available)} MiB left`,
    { next: "free some there, ask for fewer nodes, or remove other labs ('make labs')", exitCode: 2 },
  );
}

const mib = (bytes: number): number => Math.floor(bytes / MIB);
