import Table from "cli-table3";
import { withBareLab } from "../../lab/machines/bare.ts";
import { silentProgress, stderrProgress } from "../../lab/progress.ts";
import { scaledModes } from "../../model/mode/mode.ts";
import { type Scale, scaleSchema } from "../../report/results/scale.ts";
import { Countdown, spoken } from "../countdown.ts";
import { observeEnvironment } from "../environment.ts";
import { writeResult } from "../result-file.ts";
import { TestbedApiServer } from "../testbed/api-server.ts";
import { agentKinds, ipPool } from "../testbed/kubernetes-objects.ts";
import { TestbedMachine } from "../testbed/testbed-machine.ts";
import { goalsOf, goalTable } from "./goals.ts";
import { measureScale, type ScaleRun } from "./measure.ts";
import { expectedSeconds, planScale } from "./plan.ts";
import { summarize } from "./summary.ts";
import { controlAddress, scaleMachines, serverAddress, startWebServer } from "./testbed.ts";

export interface ScaleCommandOptions {
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly counts?: readonly number[];
  readonly json?: boolean;
  readonly keep?: boolean;
}

export async function benchServices(lab: string, options: ScaleCommandOptions): Promise<Scale> {
  const { quick = false, rounds, counts, json = false } = options;
  const plan = planScale({ quick, ...(rounds && { rounds }), ...(counts && { counts }) });
  const progress = json ? silentProgress : stderrProgress("bench");
  const expected = expectedSeconds(plan);
  progress.note(`up to ${plan.counts.at(-1)} services, about ${spoken(expected)} (a guess for two idle cores)`);
  const environment = await observeEnvironment(`make bench-services${quick ? " QUICK=1" : ""}`);
  const { run, kubernetes } = await withBareLab(lab, scaleMachines, async () => {
    const control = new TestbedMachine(lab, { name: "control", address: controlAddress });
    const server = new TestbedMachine(lab, { name: "server", address: serverAddress });
    await startWebServer(server);
    const api = await progress.phase("API server", () => TestbedApiServer.start(control));
    await api.createAll(agentKinds);
    await api.createWhenKnown(ipPool("CrossSubnet"));
    const countdown = new Countdown(
      plan.counts.length * (scaledModes.length + 2) + scaledModes.length + 4,
      expected,
      json,
    );
    return { run: await measureScale(plan, { lab, api, server }, countdown), kubernetes: await api.version() };
  });
  const result = scaleSchema.parse({
    environment: { ...environment(), kubernetes },
    ...summarize(run.measured),
    goals: goalsOf(run),
    unanswered: run.unanswered,
  });
  const files = writeResult("scale", result, options.keep ?? false);
  process.stdout.write(
    json
      ? `${JSON.stringify(result, null, 2)}\n`
      : `${scaleTable(result)}\n${goalTable(result.goals ?? [])}\n${sentencesOf(run)}${result.verdict}\n`,
  );
  for (const file of files) progress.note(`written: ${file}`);
  return result;
}

function sentencesOf({ unanswered }: ScaleRun): string {
  const said = unanswered.map(
    ({ mode, services, endpoints, seconds }) =>
      `${mode} has no figures with ${services} services of ${endpoints} endpoints: they did not answer within ${seconds} s.\n`,
  );
  return said.join("");
}

function scaleTable({ points }: Scale): string {
  const head = ["services", "mode", "new connection, µs", "one more service, s", "all of them, s", "rounds"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { services, mode, medianUs, programmingSeconds, loadSeconds, rounds, disturbedRounds } of points)
    table.push([
      services,
      mode,
      `${medianUs.value.toFixed(0)} (${medianUs.low.toFixed(0)}-${medianUs.high.toFixed(0)})`,
      programmingSeconds.toFixed(2),
      loadSeconds.toFixed(1),
      `${rounds}${disturbedRounds > 0 ? ` (${disturbedRounds} set aside)` : ""}`,
    ]);
  return table.toString();
}
