// Test files in the order in which they end soonest on several lanes: what takes longest begins first.
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { budgetOf } from "./test-budget.ts";

/** Across projects: the walk-through's stories run beside the tests of the system. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = ({ moduleId }: TestSpecification) => budgetOf(relative(process.cwd(), moduleId)) ?? 0;
    return files.toSorted((a, b) => seconds(b) - seconds(a));
  }
}
