import { join } from "node:path";

/**
 * Names and paths of a lab. Every name contains the lab's name, so two labs can run side by side and leftovers of a killed
 * process are found by name alone.
 */

/** Folder of all labs' state; not in the cache, because it is removed with the lab. */
export const labsFolder = "/var/lib/ebpf-dataplane/labs";

export const labFolder = (lab: string): string => join(labsFolder, lab);
export const journalFile = (lab: string): string => join(labFolder(lab), "journal.ndjson");
export const originFile = (lab: string): string => join(labFolder(lab), "origin.json");
export const clusterFile = (lab: string): string => join(labFolder(lab), "cluster.json");
/** Copies of the user's own images. */
export const ownImagesFolder = (lab: string): string => join(labFolder(lab), "images");
export const kubeconfigFile = (lab: string): string => join(labFolder(lab), "kubeconfig");

/** Network namespace (and cgroup) of a machine. */
export const machineNamespace = (lab: string, machine: string): string => `${lab}-${machine}`;
export const belongsToLab = (lab: string, name: string): boolean => name.startsWith(`${lab}-`);
export const switchNamespace = (lab: string): string => `${lab}-switch`;

/** The machine's files: its disk, the mount point of its root, its logs. */
export const machineFolder = (lab: string, machine: string): string => join(labFolder(lab), "machines", machine);
export const machineDisk = (lab: string, machine: string): string => join(machineFolder(lab, machine), "disk");
export const machineLog = (lab: string, machine: string): string => join(machineFolder(lab, machine), "boot.log");
