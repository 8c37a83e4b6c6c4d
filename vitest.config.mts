import { defineConfig } from "vitest/config";

/** Tests that need root, this kernel or a cluster: theirs is the whole machine, so they run one after another. */
const system = ["**/*.system.test.ts", "test/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...system, "**/node_modules/**", "dist/**", "out/**"],
        },
      },
      {
        test: {
          name: "system",
          include: system,
          exclude: ["**/node_modules/**", "dist/**", "out/**"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
