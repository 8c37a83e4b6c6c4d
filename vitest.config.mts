import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./tools/longest-first.ts";

// NAME.system.test.ts needs root, this kernel or a cluster. Each has machines and names of its own, so several run side by side. They
// mostly wait (for timeouts, for agents): each keeps about 0.4 of a processor busy. At most eight, for their memory.
const system = "**/*.system.test.ts";
// NAME.campaign.test.ts takes minutes, and shows what other tests show in part: `make campaigns`, before a release.
const campaign = "**/*.campaign.test.ts";
// A stack is a program, which runs when it is imported: each file needs modules of its own.
const stacks = "stacks/**/*.test.ts";
// Each has a whole cluster, which takes 2 GiB. They run beside all other tests (tools/test.ts).
const walkthrough = "test/walkthrough/**/*.system.test.ts";
const elsewhere = ["**/node_modules/**", "dist/**", "out/**"];
// Limits that only a hang reaches, however busy the machine is.
const patience = { testTimeout: 300_000, hookTimeout: 300_000, expect: { poll: { timeout: 180_000 } } };
const lanes = {
  ...{ ...patience, testTimeout: 900_000, hookTimeout: 900_000 },
  maxWorkers: Math.min(availableParallelism() * 2, 8),
};

// The report's page is written as JSX.
const oxc = { jsx: { runtime: "automatic", importSource: "preact" } } as const;

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        oxc,
        test: {
          name: "unit",
          include: ["**/*.test.{ts,tsx}"],
          exclude: [...elsewhere, system, campaign, stacks],
          setupFiles: ["test/seed.ts"],
          ...patience,
          maxWorkers: availableParallelism(),
          // A third less work: what files import is loaded once, not for each file. So they leave nothing behind in modules.
          isolate: false,
        },
      },
      {
        test: {
          name: "stacks",
          include: [stacks],
          exclude: elsewhere,
          ...patience,
          maxWorkers: availableParallelism(),
        },
      },
      {
        oxc,
        test: {
          name: "system",
          include: [system],
          exclude: [...elsewhere, walkthrough],
          ...lanes,
          // As units: what files import is loaded once in each lane.
          isolate: false,
        },
      },
      { test: { name: "campaign", include: [campaign], exclude: elsewhere, ...lanes } },
      { test: { name: "walkthrough", include: [walkthrough], exclude: elsewhere, ...lanes, maxWorkers: 2 } },
    ],
  },
});
