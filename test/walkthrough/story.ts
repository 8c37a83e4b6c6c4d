// Tests that form one story on one cluster: after a failure the rest is skipped, because it would fail as a consequence.
import { afterEach, beforeEach } from "vitest";

/** Only a hang takes so long. */
const KEEPING_MS = 15 * 60_000;

/** Skips the tests after the first that fails, with its name as the reason.
 * @param keepEvidence of that first one, while the cluster is there */
export function oneStory(keepEvidence?: (test: string) => Promise<void>): void {
  let failed: string | undefined;
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail" || failed !== undefined) return;
    failed = task.name;
    await keepEvidence?.(task.name);
  }, KEEPING_MS);
  beforeEach((context) => {
    if (failed) context.skip(`the story ended at "${failed}"`);
  });
}
