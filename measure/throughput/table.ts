import Table from "cli-table3";
import type { Estimate } from "../../report/results/figures.ts";
import type { Throughput } from "../../report/results/throughput.ts";

/** The figures for a terminal: a row per run, the ratio to Linux beside eBPF's. */
export function throughputTable({ runs, ratios }: Throughput): string {
  const table = new Table({
    head: ["MTU", "cable", "streams", "write", "path", "Gbit/s", "CPU s/Gbit", "own CPU s/Gbit", "to Linux", "rounds"],
    style: { head: [], border: [] },
  });
  for (const run of runs) {
    const own = ratios.find(
      ({ of, quantity }) =>
        run.path === "Ebpf" &&
        quantity === "ownCpuSecondsPerGbit" &&
        of.startsWith(`Ebpf, MTU ${run.mtu}, cable ${run.cable.toLowerCase()}, ${run.streams} stream`) &&
        of.includes(`, ${run.messageBytes} bytes`),
    );
    table.push([
      run.mtu,
      run.cable.toLowerCase(),
      run.streams,
      run.messageBytes,
      run.path,
      spread(run.gbitPerSecond, 2),
      spread(run.cpuSecondsPerGbit, 3),
      spread(run.ownCpuSecondsPerGbit, 3),
      own ? `${spread(own.ratio, 2)}×${own.difference === "no difference" ? " no difference" : ""}` : "",
      `${run.rounds}${run.disturbedRounds > 0 ? ` (${run.disturbedRounds} set aside)` : ""}`,
    ]);
  }
  return table.toString();
}

/** "3.52 (3.40-3.61)" */
const spread = ({ value, low, high }: Estimate, digits: number): string =>
  `${value.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
