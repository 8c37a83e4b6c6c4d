import type * as pulumi from "@pulumi/pulumi";

/** How agents keep a log of the flows on their nodes. */
export interface FlowLog {
  /** How often it is written, in seconds, from 1 to 3600: flows are added up over this time. Defaults to 300. */
  intervalSeconds?: pulumi.Input<number>;
  /** Files that are kept besides the current one, from 1 to 1000. Defaults to 5. */
  maxFiles?: pulumi.Input<number>;
  /** Size at which a new file begins, in MB, from 1 to 10000. Defaults to 100. */
  maxFileSizeMb?: pulumi.Input<number>;
}

/** Whether agents keep the latest flows in memory. */
export enum FlowLogsLocalReporter {
  /** They do, in 4 MiB at most. */
  Enabled = "Enabled",
  /** They do not. */
  Disabled = "Disabled",
}
