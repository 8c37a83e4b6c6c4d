// What the files about pods expect, with real packets.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { BareCluster } from "../datapath/cluster/bare-cluster.ts";
import { BareSpecs, checkOf } from "./bare-specs.ts";
import { TOGETHER } from "./files.ts";

let cluster: BareCluster;
let specs: BareSpecs;

beforeAll(async () => {
  cluster = await BareCluster.start();
  specs = new BareSpecs(cluster);
});
afterEach(() => specs.end());
afterAll(() => cluster?.close());

test.each(TOGETHER.map((files) => [files]))("every row of %s holds, step by step", async (files) => {
  const checks = files.map((file) => ({ file, check: checkOf(file) }));
  await Promise.all(checks.map(({ check }) => specs.begin(check)));
  const last = Math.max(...checks.map(({ check }) => check.steps.length));
  for (let index = 0; index < last; index++) {
    const steps = checks.flatMap(({ file, check }) => {
      const step = check.steps[index];
      return step ? [{ file, step }] : [];
    });
    for (const { step } of steps) specs.step(step);
    await cluster.carriedOut();
    const seen = await Promise.all(
      steps.map(async ({ file, step }) => (await specs.wrong(step.expect)).map((words) => `${file}: ${words}`)),
    );
    expect(seen.flat(), `step ${index + 1}`).toEqual([]);
  }
});
