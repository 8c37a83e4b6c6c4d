import { defineConfig } from "vitest/config";

// NAME.system.test.ts needs root, this kernel or a cluster: the whole machine is its own, so one runs after another.
const system = "**/*.system.test.ts";
const walkthrough = "test/walkthrough/**/*.system.test.ts";
const elsewhere = ["**/node_modules/**", "dist/**", "out/**"];
const alone = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 300_000 };

// The report's page is written as JSX.
const oxc = { jsx: { runtime: "automatic", importSource: "preact" } } as const;

export default defineConfig({
  test: {
    projects: [
      { oxc, test: { name: "unit", include: ["**/*.test.{ts,tsx}"], exclude: [...elsewhere, system] } },
      { oxc, test: { name: "system", include: [system], exclude: [...elsewhere, walkthrough], ...alone } },
      { test: { name: "walkthrough", include: [walkthrough], exclude: elsewhere, ...alone, bail: 1 } },
    ],
  },
});
