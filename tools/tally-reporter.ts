// Counts the tests of a vitest run, in addition to the reporter that shows them, and records why tests were skipped and how long each file took.
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

export interface Tally {
  passed: number;
  failed: number;
  /** Name and reason of each. */
  skipped: string[];
  /** Seconds by test file. */
  seconds: Record<string, number>;
}

/** This variable names the file to write the tally to. */
export const TALLY_FILE = "EBPF_DATAPLANE_TALLY";

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tally: Tally = { passed: 0, failed: unhandled.length, skipped: [], seconds: {} };
    for (const module of modules) {
      tally.seconds[relative(process.cwd(), module.moduleId)] = module.diagnostic().duration / 1000;
      // If a file cannot be loaded, or its setup fails, its tests do not report it.
      if (module.errors().length > 0) tally.failed++;
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) tally.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") tally.passed++;
        else if (result.state === "skipped")
          tally.skipped.push(`${test.fullName}: ${result.note ?? "no reason given"}`);
        else tally.failed++;
      }
    }
    const file = process.env[TALLY_FILE];
    if (file) writeFileSync(file, JSON.stringify(tally));
  }
}
