import { z } from "zod";

/** What `cluster upgrade` reads. */
export const upgradeSchema = z.strictObject({
  /** The release of Kubernetes that all nodes shall be of. */
  version: z.string().min(1),
  /** So long a node's pods may take to go; also how long PodDisruptionBudgets are heeded before the upgrade gives up. */
  drainSeconds: z.number().default(20 * 60),
  /** So long a node may take to be Ready. */
  readySeconds: z.number().default(10 * 60),
});
export type Upgrade = z.output<typeof upgradeSchema>;
