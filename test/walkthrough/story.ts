// Tests that tell one story on one cluster: what follows a failure would fail for no reason of its own.
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
