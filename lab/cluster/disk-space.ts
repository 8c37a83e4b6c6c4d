import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { LabMachine } from "../../components/documents/lab.ts";
import { labsFolder, machineDisk } from "../names.ts";
import { MIB, type Needed, requireRoom } from "./room.ts";

/** Bytes that a machine's disk has a minute after `up`, images unpacked, rounded down. */
const NEEDED: Needed = {
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
  const next = "free some there, ask for fewer nodes, or remove other labs ('make labs')";
  requireRoom(lab, made, NEEDED, { of: "disk", where: labsFolder, available, next });
}
