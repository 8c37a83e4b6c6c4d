import { silentProgress, stderrProgress } from "../../lab/progress.ts";
import { type Throughput, throughputSchema } from "../../report/results/throughput.ts";
import { Countdown, spoken } from "../countdown.ts";
import { observeEnvironment } from "../environment.ts";
import { writeResult } from "../result-file.ts";
import { allPaths, measureThroughput } from "./measure.ts";
import { expectedSeconds, planThroughput } from "./plan.ts";
import { summarize } from "./summary.ts";
import { throughputTable } from "./table.ts";
import { withThroughputTestbed } from "./testbed.ts";

export interface ThroughputOptions {
  readonly quick?: boolean;
  readonly vxlan?: boolean;
  readonly rounds?: number;
  readonly json?: boolean;
  readonly keep?: boolean;
}

export async function benchThroughput(lab: string, options: ThroughputOptions): Promise<Throughput> {
  const { quick = false, vxlan = false, rounds, json = false } = options;
  const plan = planThroughput({ quick, vxlan, ...(rounds && { rounds }) });
  const progress = json ? silentProgress : stderrProgress("bench");
  const expected = expectedSeconds(plan, allPaths.length);
  progress.note(
    `${plan.series.length} series of ${plan.rounds} rounds, about ${spoken(expected + 30)} (a guess for two idle cores)`,
  );
  const flags = [quick ? " QUICK=1" : "", vxlan ? " VXLAN=1" : ""].join("");
  const environment = await observeEnvironment(`make bench-throughput${flags}`);
  const { measured, kubernetes } = await withThroughputTestbed(lab, vxlan, progress, async (testbed) => {
    const countdown = new Countdown(plan.series.length * plan.rounds * allPaths.length, expected, json);
    return { measured: await measureThroughput(plan, testbed, countdown), kubernetes: testbed.kubernetes };
  });
  const result = throughputSchema.parse({ environment: { ...environment(), kubernetes }, ...summarize(measured) });
  const files = writeResult("throughput", result, options.keep ?? false);
  process.stdout.write(
    json ? `${JSON.stringify(result, null, 2)}\n` : `${throughputTable(result)}\n${result.verdict}\n`,
  );
  for (const file of files) progress.note(`written: ${file}`);
  return result;
}
