import Table from "cli-table3";
import pc from "picocolors";
import type { ComparedMode, ComparedModeResult, Comparison } from "../../report/results/compare.ts";
import { ratioText } from "./conclusion.ts";
import { modeNames, seedFigures } from "./modes.ts";

const plain = { style: { head: [], border: [] } };

/** The comparison as tables: observations, costs, and significant differences of the modes. */
export function renderComparison(
  comparison: Comparison,
  colors: typeof pc | ReturnType<typeof pc.createColors> = pc,
): string {
  const failed = comparison.expected.filter(({ pass }) => !pass);
  const problems = comparison.modes.filter(({ problem }) => problem);
  const good = failed.length === 0 && problems.length === 0;
  return [
    shown(comparison),
    times(comparison),
    requests(comparison),
    costs(comparison),
    ratios(comparison),
    ...problems.map(({ mode, problem }) => `${colors.red("PROBLEM")} ${modeNames[mode]}: ${problem}`),
    ...failed.map(
      ({ what, expected, observed }) => `${colors.red("FAIL")} ${what}: expected ${expected}; observed ${observed}`,
    ),
    conditions(comparison),
    (good ? colors.green : colors.red)(comparison.verdict),
  ].join("\n");
}

function shown({ modes }: Comparison): string {
  const table = new Table({
    head: ["mode", "served with the policy", "without it", "the server logged", "reply"],
    ...plain,
  });
  const served = (clients: Record<string, boolean>) =>
    Object.keys(clients)
      .filter((client) => clients[client])
      .join(", ") || "none";
  const row = (
    name: string,
    mode: ComparedMode,
    seen: NonNullable<ComparedModeResult["overIpv6"]> | ComparedModeResult,
  ) =>
    table.push([
      name,
      served(seen.served),
      served(seen.servedWithoutPolicy),
      seen.loggedSources.join(", ") || "none",
      replyWords(mode, seen.replyPath),
    ]);
  for (const result of modes) {
    const { mode, overIpv6 } = result;
    row(modeNames[mode], mode, result);
    if (overIpv6) row(`${modeNames[mode]}, IPv6`, mode, overIpv6);
  }
  return table.toString();
}

const replyWords = (mode: ComparedMode, replyPath: ComparedModeResult["replyPath"]): string =>
  mode === "Direct"
    ? "no other node involved"
    : replyPath === undefined
      ? "not seen"
      : replyPath === "direct"
        ? "direct"
        : "via the entry node";

function times({ modes }: Comparison): string {
  const table = new Table({
    head: ["new connection, µs", "median (95 %)", "p10", "mean", "p90", "p99", "rounds", "seed's mean"],
    ...plain,
  });
  for (const {
    mode,
    medianUs,
    medianSpreadUs: { low, high },
    p10Us,
    meanUs,
    p90Us,
    p99Us,
    rounds,
    disturbedRounds,
  } of modes)
    table.push([
      modeNames[mode],
      `${medianUs.toFixed(0)} (${low.toFixed(0)}-${high.toFixed(0)})`,
      ...[p10Us, meanUs, p90Us, p99Us].map((value) => value.toFixed(0)),
      `${rounds}${disturbedRounds > 0 ? `, ${disturbedRounds} set aside` : ""}`,
      seedFigures[mode]?.toFixed(0) ?? "",
    ]);
  return table.toString();
}

/** Nothing where the server ends each connection. */
function requests({ modes }: Comparison): string {
  const table = new Table({
    head: ["request on a kept connection, µs", "median (95 %)", "p10", "p90", "p99", "CPU of processes", "rounds"],
    ...plain,
  });
  for (const { mode, keptRequests } of modes) {
    if (!keptRequests) continue;
    const { medianUs, medianSpreadUs, p10Us, p90Us, p99Us, processUsPerRequest, rounds, disturbedRounds } =
      keptRequests;
    table.push([
      modeNames[mode],
      `${medianUs.toFixed(1)} (${medianSpreadUs.low.toFixed(1)}-${medianSpreadUs.high.toFixed(1)})`,
      ...[p10Us, p90Us, p99Us, processUsPerRequest.value].map((value) => value.toFixed(1)),
      `${rounds}${disturbedRounds > 0 ? `, ${disturbedRounds} set aside` : ""}`,
    ]);
  }
  return table.length > 0
    ? table.toString()
    : "The server ends each connection: requests on kept ones were not measured.";
}

function costs({ modes }: Comparison): string {
  const machines = [...new Set(modes.flatMap(({ packetsPerConnection }) => Object.keys(packetsPerConnection)))];
  const head = [
    "per connection",
    "CPU µs (of it softirq)",
    "CPU s",
    ...machines.map((name) => `${name}: packets`),
    "BPF µs",
  ];
  const table = new Table({ head, ...plain });
  for (const mode of modes) {
    const bpf = Object.values(mode.bpfNsPerConnection);
    table.push([
      modeNames[mode.mode],
      `${mode.cpuUsPerConnection.value.toFixed(0)} (${mode.softirqUsPerConnection.toFixed(0)})`,
      mode.cpuSeconds.toFixed(1),
      ...machines.map((name) => mode.packetsPerConnection[name]?.toFixed(1) ?? ""),
      bpf.length > 0 ? (bpf.reduce((sum, value) => sum + value, 0) / 1000).toFixed(1) : "not counted",
    ]);
  }
  return table.toString();
}

const quantityNames: Record<string, string> = {
  medianUs: "median time",
  p10Us: "p10 time",
  processUsPerConnection: "CPU of the machines' processes",
  requestUs: "median request, kept connection",
};

/** Results of the first experiment, as ratios of means. */
const seedRatios: Record<string, string> = {
  "EbpfDsr KubeProxyIptables": "0.85×",
  "EbpfTunnel KubeProxyIptables": "0.97×",
  "EbpfDsr EbpfTunnel": "0.88×",
};

function ratios(comparison: Comparison): string {
  const table = new Table({ head: ["against", "mode", ...Object.values(quantityNames), "seed (means)"], ...plain });
  const pairs = [...new Set(comparison.ratios.map(({ of, to }) => `${of} ${to}`))];
  for (const pair of pairs) {
    const [of, to] = pair.split(" ") as [ComparedMode, ComparedMode];
    const cells = Object.keys(quantityNames).map((quantity) => {
      const found = comparison.ratios.find(
        (ratio) => `${ratio.of} ${ratio.to}` === pair && ratio.quantity === quantity,
      );
      if (!found) return "";
      return `${ratioText(found)}${found.difference === "no difference" ? " no difference" : ""}`;
    });
    table.push([modeNames[to], modeNames[of], ...cells, seedRatios[pair] ?? ""]);
  }
  return table.toString();
}

function conditions({ environment, client, target, connectionsPerRound, concurrency, modes }: Comparison): string {
  const { kernel, cores, virtualized, stealShare, loadBefore } = environment;
  const connections = Math.min(...modes.map((mode) => mode.connections));
  return [
    `${client} → ${target}: at least ${connections} connections per mode in rounds of ${connectionsPerRound}, ${concurrency} at a time; (…) is the 95 % interval over rounds.`,
    `Baseline: kube-proxy with plain pods, their policies judged by this dataplane's programs in every mode, and open to all while times are taken.`,
    `Linux ${kernel}, ${cores} ${virtualized ? "virtual " : ""}processors, ${(100 * stealShare).toFixed(1)} % of the time stolen, load ${loadBefore.toFixed(1)} before.`,
  ].join("\n");
}
