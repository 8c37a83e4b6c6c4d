import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { LabSpec } from "../../components/documents/lab.ts";
import { LabFailure } from "../failure.ts";
import type { ProcessIdentity } from "../machines/processes.ts";
import { clusterFile } from "../names.ts";

/** In place of a release: the machines are instances of a cloud, whose user data is about Kubernetes. */
export const CLOUD = "cloud";

/** What a lab records between commands. */
export interface ClusterState {
  spec: LabSpec;
  forwarder?: ProcessIdentity & { port: number };
}

export function readState(lab: string): ClusterState | undefined {
  if (!existsSync(clusterFile(lab))) return undefined;
  try {
    return JSON.parse(readFileSync(clusterFile(lab), "utf8")) as ClusterState;
  } catch (error) {
    throw new LabFailure(`the record of lab ${lab}, ${clusterFile(lab)}, cannot be read: ${(error as Error).message}`, {
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
