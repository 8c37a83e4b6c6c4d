import { z } from "zod";

/** Input of `cluster upgrade`. */
export const upgradeSchema = z.strictObject({
  /** The release of Kubernetes for all nodes. */
  version: z.string().min(1),
  /** Timeout for draining a node; also how long PodDisruptionBudgets may block before the upgrade gives up. */
  drainSeconds: z.number().default(20 * 60),
  /** Timeout for a node to become Ready. */
  readySeconds: z.number().default(10 * 60),
});
export type Upgrade = z.output<typeof upgradeSchema>;
