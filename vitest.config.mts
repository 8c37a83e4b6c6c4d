import { defineConfig } from "vitest/config";

// NAME.system.test.ts needs root, this kernel or a cluster: the whole machine is its own, so one runs after another.
const system = "**/*.system.test.ts";
const exclude = ["**/node_modules/**", "dist/**", "out/**"];

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["**/*.test.ts"], exclude: [...exclude, system] } },
      {
        test: {
          name: "system",
          include: [system],
          exclude,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
