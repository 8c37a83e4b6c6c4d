import type { MachineAddress } from "../machine/machine.ts";

/** Something that a preflight looked at. */
export interface PreflightFinding {
  /** "ok", "warning" or "refused". */
  severity: string;
  /** What was looked at. */
  check: string;
  /** Names of the nodes it is about; none: the cluster. */
  nodes: string[];
  /** What is there. */
  found: string;
  /** What to do; absent where nothing is to be done. */
  next?: string;
}

/** What `cluster preflight` prints. */
export interface PreflightResult {
  clusterId: string;
  nodes: MachineAddress[];
  findings: PreflightFinding[];
}
