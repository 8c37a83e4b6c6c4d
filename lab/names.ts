import { join } from "node:path";

/**
 * Names and places of a lab. Every name carries the lab's, so two labs live side by side and what a killed process left
 * behind is found by name alone.
 */

/** Folder of all labs' state; not in the cache, as it goes away with the lab. */
export const labsFolder = "/var/lib/ebpf-dataplane/labs";

/** No '-' in a lab's name: `LAB-MACHINE` then tells which lab a name belongs to, also beside labs of similar names. */
export const labNamePattern = /^[a-z][a-z0-9]{0,11}$/;

/** A machine's name: what a host name, a network namespace and a cgroup may all be called. */
export const namePattern = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/;

export const labFolder = (lab: string): string => join(labsFolder, lab);
export const journalFile = (lab: string): string => join(labFolder(lab), "journal.ndjson");
export const clusterFile = (lab: string): string => join(labFolder(lab), "cluster.json");
export const kubeconfigFile = (lab: string): string => join(labFolder(lab), "kubeconfig");

/** Network namespace (and cgroup) of a machine. */
export const machineNamespace = (lab: string, machine: string): string => `${lab}-${machine}`;
export const belongsToLab = (lab: string, name: string): boolean => name.startsWith(`${lab}-`);
export const switchNamespace = (lab: string): string => `${lab}-switch`;

/** The machine's files: its disk, the mount point of its root, its logs. */
export const machineFolder = (lab: string, machine: string): string => join(labFolder(lab), "machines", machine);
export const machineDisk = (lab: string, machine: string): string => join(machineFolder(lab, machine), "disk");
export const machineLog = (lab: string, machine: string): string => join(machineFolder(lab, machine), "boot.log");

/** Address of the switch: the machines' default gateway. */
export const switchAddress = "172.31.1.1";
/** Length of the prefix that all machines share. */
export const subnetLength = 24;
/** Port of the API server on the control plane. */
export const apiServerPort = 6443;
