import Table from "cli-table3";
import type { Goal } from "../../report/results/scale.ts";
import { median } from "../statistics/statistics.ts";
import type { FullRun } from "./full.ts";
import type { Measured, ScaleRun } from "./measure.ts";
import { usable } from "./summary.ts";
import type { Mode } from "./testbed.ts";

/** The figures that have a goal, each at most. */
export function goalsOf({ measured, full }: ScaleRun): Goal[] {
  return [...connectionGoal(measured), ...changeGoals(full), ...memoryGoals(measured, full)];
}

const goal = (what: string, value: number, limit: number, beside?: string): Goal => ({
  what,
  value,
  goal: limit,
  met: value <= limit,
  ...(beside && { beside }),
});

/** How much longer a new connection takes with the most services than with the fewest. */
function connectionGoal(measured: readonly Measured[]): Goal[] {
  const most = measured.at(-1)?.services;
  const growth = (mode: Mode): number | undefined => {
    const [first, last] = [measured.find((one) => one.mode === mode), measured.findLast((one) => one.mode === mode)];
    if (!first || !last || last.services !== most || first === last) return undefined;
    const [few, many] = [usualUs(first), usualUs(last)];
    return few === undefined || many === undefined ? undefined : many / few;
  };
  const ours = growth("Ebpf");
  if (ours === undefined) return [];
  return [goal(`new connection with ${most} services, as a ratio to the fewest`, ours, 1.1, besideOf(growth, "×"))];
}

function usualUs(one: Measured): number | undefined {
  const rounds = usable(one);
  return rounds.length > 0 ? median(rounds.map(({ medianUs }) => medianUs)) : undefined;
}

function changeGoals({
  services,
  endpoints,
  coldSeconds,
  changes,
  churned,
  cpuSeconds,
  longestBlockMs,
}: FullRun): Goal[] {
  const size = `${services} services of ${endpoints} endpoints`;
  const cold = secondsOf(coldSeconds);
  const cpu = secondsOf(cpuSeconds);
  const others = [cpu("KubeProxyIptables"), cpu("KubeProxyNftables")].filter((seconds) => seconds !== undefined);
  const kubeProxy = others.length > 0 ? Math.min(...others) : Number.NaN;
  return [
    goal(`from nothing to ${size}, s`, cold("Ebpf") ?? Number.NaN, 5, besideOf(cold, "s")),
    goal(`one changed endpoint in the map, ms, 99th of 100 of ${changes.count}`, changes.p99Ms, 50),
    goal(
      `processor time to follow ${churned} changes, as a ratio to the cheaper kube-proxy`,
      (cpu("Ebpf") ?? Number.NaN) / kubeProxy,
      0.5,
      `${(cpu("Ebpf") ?? 0).toFixed(1)} s; ${besideOf(cpu, "s")}`,
    ),
    goal("longest block of the agent's event loop while it follows changes, ms", longestBlockMs, 50),
  ];
}

function memoryGoals(measured: readonly Measured[], { services, endpoints, memoryMiB }: FullRun): Goal[] {
  const smallest = measured.find(({ memoryMiB }) => memoryMiB !== undefined);
  return [
    ...(smallest?.memoryMiB
      ? [goal(`the agent's memory with ${smallest.services} services, MiB`, smallest.memoryMiB, 120)]
      : []),
    goal(`the agent's memory with ${services} services of ${endpoints} endpoints, MiB`, memoryMiB, 250),
  ];
}

const secondsOf = (all: FullRun["coldSeconds"]) => (mode: Mode) => all.find((one) => one.mode === mode)?.seconds;

function besideOf(of: (mode: Mode) => number | undefined, unit: string): string {
  const said = (["KubeProxyIptables", "KubeProxyNftables"] as const).map((mode) => {
    const value = of(mode);
    return `${mode === "KubeProxyIptables" ? "iptables" : "nftables"} ${value === undefined ? "not known" : `${value.toFixed(2)} ${unit}`}`;
  });
  return said.join(", ");
}

export function goalTable(goals: readonly Goal[]): string {
  const head = ["figure", "value", "goal: at most", "", "kube-proxy"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { what, value, goal, met, beside } of goals)
    table.push([what, value.toFixed(value < 10 ? 2 : 0), goal, met ? "met" : "MISSED", beside ?? ""]);
  return table.toString();
}
