// What the check files of this folder expect is what the evaluator of Calico's semantics says.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readChecks } from "../../verify/format/read.ts";
import { SpecCluster } from "./cluster.ts";
import { ABOUT_HOSTS, ABOUT_PODS, NOT_EVALUATED } from "./files.ts";

test("every file is known", () => {
  const found = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".check.yaml"));
  expect(found.sort()).toEqual([...ABOUT_HOSTS, ...ABOUT_PODS].map((name) => `${name}.check.yaml`).sort());
});

test.each([...ABOUT_PODS, ...ABOUT_HOSTS].filter((file) => !NOT_EVALUATED.includes(file)))(
  "%s.check.yaml expects what the evaluator says",
  (file) => {
    const checks = readChecks(readFileSync(join(import.meta.dirname, `${file}.check.yaml`), "utf8"), file);
    let rows = 0;
    for (const { setup, steps } of checks) {
      const cluster = new SpecCluster();
      cluster.apply(setup as never);
      for (const [index, step] of steps.entries()) {
        cluster.apply(step.apply as never);
        cluster.delete(step.delete as never);
        for (const row of step.expect) {
          expect(cluster.verdictOf(row), `step ${index + 1}: ${row.from.text} to ${row.to.text}`).toBe(row.verdict);
          rows++;
        }
      }
    }
    expect(rows).toBeGreaterThan(70);
  },
);
