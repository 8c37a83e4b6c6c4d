// Made-up results of the measurements, the same at every run: figures to draw, not figures of anything.

import { scaledModes } from "../model/mode/mode.ts";
import { type ComparedModeResult, type Comparison, compareSchema } from "./results/compare.ts";
import type { Environment } from "./results/environment.ts";
import type { Estimate, Ratio } from "./results/figures.ts";
import { type Scale, scaleSchema } from "./results/scale.ts";
import { type Throughput, throughputPaths, throughputSchema } from "./results/throughput.ts";
import { fixtureTopology } from "./topology.fixture.ts";

/** mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = generator(4);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const round = (value: number, digits = 1) => Number(value.toFixed(digits));
const near = (value: number, spread = 0.02, digits = 2): Estimate => ({
  value: round(value * (1 + normal() * spread * 0.3), digits),
  low: round(value * (1 - spread), digits),
  high: round(value * (1 + spread), digits),
});

/** @param day of the measurement, YYYY-MM-DD */
export function fixtureEnvironment(command: string, day = "2026-11-21"): Environment {
  return {
    measuredAt: `${day}T14:05:31Z`,
    commit: "3c536da",
    version: "0.1.0",
    kernel: "6.18.0",
    distribution: "Debian GNU/Linux 12 (bookworm)",
    processor: "FIXTURE processor @ 2.60GHz",
    cores: 2,
    virtualized: true,
    kubernetes: "v1.35.0",
    stealShare: 0.034,
    loadBefore: 0.21,
    command,
  };
}

const shapes = {
  KubeProxyIptables: { medianUs: 214, cpuUs: 262, entry: 10, bpf: {} },
  KubeProxyNftables: { medianUs: 219, cpuUs: 268, entry: 10, bpf: {} },
  EbpfTunnel: { medianUs: 197, cpuUs: 231, entry: 10, bpf: { master: 5200, node: 6100 } },
  EbpfDsr: { medianUs: 171, cpuUs: 204, entry: 5, bpf: { master: 2900, node: 5700 } },
  Direct: { medianUs: 149, cpuUs: 176, entry: 0, bpf: { master: 0, node: 3100 } },
} as const;

function mode(name: keyof typeof shapes): ComparedModeResult {
  const { medianUs, cpuUs, entry, bpf } = shapes[name];
  const times = Array.from(
    { length: 10_000 },
    () => medianUs * Math.exp(normal() * 0.11) + (random() < 0.03 ? random() * 160 : 0),
  );
  times.sort((a, b) => a - b);
  const quantile = (share: number) => round(times[Math.floor(share * times.length)] ?? 0);
  const proxied = name.startsWith("KubeProxy");
  const width = 4;
  const first = Math.floor((times[0] ?? 0) / width);
  const last = Math.floor((times.at(-1) ?? 0) / width);
  const counts = new Array<number>(last - first + 1).fill(0);
  for (const time of times)
    counts[Math.floor(time / width) - first] = (counts[Math.floor(time / width) - first] ?? 0) + 1;
  const sources = proxied ? ["172.31.1.8"] : ["172.31.1.55", "172.31.1.162"];
  return {
    mode: name,
    served: { client1: !proxied, client2: false },
    servedWithoutPolicy: { client1: true, client2: true },
    loggedSources: sources,
    loggedLines: sources.map(
      (source) => `${source} - - [21/Nov/2026:14:05:31 +0000] "GET / HTTP/1.1" 200 615 "-" "fixture"`,
    ),
    ...(name !== "Direct" && { replyPath: name === "EbpfDsr" ? ("direct" as const) : ("viaEntryNode" as const) }),
    connections: times.length,
    meanUs: round(times.reduce((sum, time) => sum + time, 0) / times.length),
    medianUs: quantile(0.5),
    p10Us: quantile(0.1),
    p90Us: quantile(0.9),
    p99Us: quantile(0.99),
    medianSpreadUs: near(medianUs, 0.015, 1),
    cpuSeconds: round((cpuUs * times.length) / 1e6, 3),
    cpuUsPerConnection: near(cpuUs, 0.02, 1),
    softirqUsPerConnection: round(cpuUs * 0.36),
    processUsPerConnection: { client1: round(cpuUs * 0.27), master: round(entry * 0.9), node: round(cpuUs * 0.29) },
    bpfNsPerConnection: bpf,
    packetsPerConnection: { master: entry, node: 10 },
    rounds: 96,
    disturbedRounds: Math.floor(random() * 9),
    keptRequests: {
      requests: 10_000,
      medianUs: round(medianUs * 0.3),
      p10Us: round(medianUs * 0.28),
      p90Us: round(medianUs * 0.36),
      p99Us: round(medianUs * 0.7),
      medianSpreadUs: near(medianUs * 0.3, 0.015, 1),
      processUsPerRequest: near(cpuUs * 0.27, 0.02, 1),
      rounds: 96,
      disturbedRounds: 0,
    },
    histogramUs: counts.map((count, index) => ({
      from: (first + index) * width,
      to: (first + index + 1) * width,
      count,
    })),
  };
}

function ratio(of: string, to: string, quantity: string, value: number, spread: number): Ratio {
  const estimate = near(value, spread, 3);
  const difference = estimate.high < 1 ? "less" : estimate.low > 1 ? "more" : "no difference";
  return { of, to, quantity, ratio: estimate, difference };
}

/** FIXTURE of `out/compare.json`. */
export function fixtureComparison(): Comparison {
  const to = "KubeProxyIptables";
  const modes = (Object.keys(shapes) as (keyof typeof shapes)[]).map(mode);
  return compareSchema.parse({
    environment: fixtureEnvironment("make compare"),
    client: "client1",
    target: "tcp://172.31.1.8:30604",
    connectionsPerRound: 100,
    concurrency: 1,
    modes,
    ratios: [
      ...modes
        .slice(1)
        .map(({ mode: of, medianUs }) => ratio(of, to, "medianUs", medianUs / shapes[to].medianUs, 0.02)),
      ...modes
        .slice(1)
        .map(({ mode: of }) => ratio(of, to, "cpuUsPerConnection", shapes[of].cpuUs / shapes[to].cpuUs, 0.03)),
      ...modes
        .slice(1)
        .map(({ mode: of, medianUs }) => ratio(of, to, "requestUs", medianUs / shapes[to].medianUs, 0.02)),
    ],
    verdict:
      "eBPF DSR takes 0.80 of kube-proxy's median connection time and keeps the clients' addresses; kube-proxy hides them behind 172.31.1.8, so that the policy blocks both clients.",
    topology: fixtureTopology(),
    expected: modes.slice(0, 4).map((each) => ({
      what: `sources in the log, ${each.mode}`,
      expected: each.loggedSources.join(", "),
      observed: each.loggedSources.join(", "),
      pass: true,
    })),
  });
}

/** FIXTURE of `out/throughput.json`. */
export function fixtureThroughput(): Throughput {
  const runs = throughputPaths.flatMap((path) =>
    [1440, 8940].flatMap((mtu) =>
      [1, 4].flatMap((streams) =>
        [64, 512, 4096, 65536].map((messageBytes) => {
          const gain = { Linux: 1, Ebpf: 1.18, Floor: 1.4 }[path];
          const most = (mtu === 1440 ? 6.2 : 17) * (streams === 1 ? 1 : 1.3) * gain;
          const gbit = most * (messageBytes / (messageBytes + 900));
          return {
            path,
            cable: "Cut",
            encapsulation: "None",
            mtu,
            streams,
            messageBytes,
            gbitPerSecond: near(gbit, 0.03),
            cpuSecondsPerGbit: near((1.9 / gbit) * (path === "Ebpf" ? 0.8 : 1), 0.04, 3),
            ownCpuSecondsPerGbit: near((1.6 / gbit) * (path === "Ebpf" ? 0.8 : 1), 0.04, 3),
            rounds: 24,
            disturbedRounds: Math.floor(random() * 4),
          };
        }),
      ),
    ),
  );
  return throughputSchema.parse({
    environment: fixtureEnvironment("make bench-throughput", "2026-11-19"),
    runs,
    ratios: [
      ratio("Ebpf", "Linux", "cpuSecondsPerGbit", 0.68, 0.04),
      ratio("Ebpf", "Linux", "gbitPerSecond", 1.18, 0.03),
    ],
    verdict: "At MTU 1440 the eBPF dataplane needs 0.68 of the CPU per gigabit of the standard Linux path.",
  });
}

/** FIXTURE of `out/scale.json`. */
export function fixtureScale(): Scale {
  const points = scaledModes.flatMap((name) =>
    [1, 10, 100, 1000, ...(name === "KubeProxyIptables" ? [] : [10_000])].map((services) => {
      const growth = name === "KubeProxyIptables" ? services * 0.021 : 0;
      return {
        mode: name,
        services,
        medianUs: near({ KubeProxyIptables: 214, KubeProxyNftables: 219, Ebpf: 172 }[name] + growth, 0.02, 1),
        programmingSeconds: round(
          { KubeProxyIptables: 0.4 + services * 0.0011, KubeProxyNftables: 0.3 + services * 0.0002, Ebpf: 0.05 }[name],
          3,
        ),
        loadSeconds: round(
          services * { KubeProxyIptables: 0.0021, KubeProxyNftables: 0.0012, Ebpf: 0.0002 }[name] + 0.2,
          2,
        ),
        rounds: 32,
        disturbedRounds: 1,
      };
    }),
  );
  return scaleSchema.parse({
    environment: fixtureEnvironment("make bench-services"),
    points,
    ratios: [ratio("Ebpf", "KubeProxyIptables", "medianUs", 0.77, 0.03)],
    unanswered: [{ mode: "KubeProxyIptables", services: 10_000, endpoints: 4, seconds: 300 }],
    verdict: "The eBPF dataplane's connection time does not change from 1 to 10,000 services.",
  });
}
