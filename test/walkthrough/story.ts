// Tests that form one story on one cluster: after a failure the rest is skipped, because it would fail as a consequence.
import { afterEach, beforeEach } from "vitest";

/** Skips the tests after the first that fails, with its name as the reason. */
export function oneStory(): void {
  let failed: string | undefined;
  afterEach(({ task }) => {
    if (task.result?.state === "fail") failed ??= task.name;
  });
  beforeEach((context) => {
    if (failed) context.skip(`the story ended at "${failed}"`);
  });
}
