import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { LabSpec } from "../../components/documents/lab.ts";
import { LabFailure } from "../failure.ts";
import type { ProcessIdentity } from "../machines/processes.ts";
import { clusterFile } from "../names.ts";

/** Stands in place of a release: the machines are instances of a cloud, whose user data installs Kubernetes. */
export const CLOUD = "cloud";

/** What a lab records between commands. */
export interface ClusterState {
  spec: LabSpec;
  forwarder?: ProcessIdentity & { port: number };
}

/** @throws LabFailure if this user may not read it, or if it cannot be read */
export function readState(lab: string): ClusterState | undefined {
  try {
    return JSON.parse(readFileSync(clusterFile(lab), "utf8")) as ClusterState;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "EACCES")
      throw new LabFailure(`only root can see lab ${lab}, or that there is none`, { next: "run it as root" });
    throw new LabFailure(`the record of lab ${lab}, ${clusterFile(lab)}, cannot be read: ${message}`, {
      next: `remove the lab with 'down ${lab}'`,
    });
  }
}

/** Replaces the state atomically, so that a killed writer leaves the old one. */
export function writeState(lab: string, state: ClusterState): void {
  const draft = `${clusterFile(lab)}.new`;
  writeFileSync(draft, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(draft, clusterFile(lab));
}
