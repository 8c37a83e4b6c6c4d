// Sorts test files so that several lanes finish soonest: the slowest start first.
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { budgetOf } from "./test-budget.ts";

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = ({ moduleId }: TestSpecification) => budgetOf(relative(process.cwd(), moduleId)) ?? 0;
    return files.toSorted((a, b) => seconds(b) - seconds(a));
  }
}
