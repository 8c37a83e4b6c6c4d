// Counts the tests of a vitest run, in addition to the reporter that shows them, and records why tests were skipped and how long each file took.
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

export interface Tally {
  passed: number;
  /** Name and first line of the message of each failure. */
  failures: string[];
  /** Name and reason of each. */
  skipped: string[];
  /** Seconds by test file. */
  seconds: Record<string, number>;
}

/** This variable names the file to write the tally to. */
export const TALLY_FILE = "EBPF_DATAPLANE_TALLY";

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tally: Tally = { passed: 0, failures: [], skipped: [], seconds: {} };
    const fail = (name: string, errors: readonly unknown[] | undefined) =>
      tally.failures.push(`${name}: ${firstLine(errors?.[0])}`);
    for (const error of unhandled) fail("outside every test", [error]);
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      tally.seconds[file] = module.diagnostic().duration / 1000;
      // If a file cannot be loaded, or its setup fails, its tests do not report it.
      if (module.errors().length > 0) fail(file, module.errors());
      for (const suite of module.children.allSuites())
        if (suite.errors().length > 0) fail(`${file} > ${suite.fullName}`, suite.errors());
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") tally.passed++;
        else if (result.state === "skipped")
          tally.skipped.push(`${test.fullName}: ${result.note ?? "no reason given"}`);
        else fail(`${file} > ${test.fullName}`, result.errors);
      }
    }
    const file = process.env[TALLY_FILE];
    if (file) writeFileSync(file, JSON.stringify(tally));
  }
}

function firstLine(error: unknown): string {
  const message = error instanceof Object && "message" in error ? String(error.message) : String(error ?? "no message");
  return message.split("\n", 1)[0] ?? "";
}
