import type { Report } from "../../document.ts";
import { modeName } from "../../modes.ts";
import type { Throughput } from "../../results/throughput.ts";
import { Dated } from "../dated.tsx";
import { Figure } from "../figure.tsx";
import { throughputPlot } from "../plots/throughput.ts";
import { Section } from "../section.tsx";
import { Table } from "../table.tsx";
import { modeColour } from "../theme.ts";
import { figure, listed, quantityName, withSpread } from "../words.ts";

type Runs = Throughput["runs"];

const paths = {
  Ebpf: "eBPF",
  Linux: "Linux: iptables FORWARD and kube-proxy",
  Floor: "machine to machine, without pods",
};
const cables = {
  Offloaded: "packets cross the cable in pieces of up to 64 KiB",
  Cut: "packets of the MTU, one by one",
};
const encapsulations = { None: "no encapsulation", Vxlan: "VXLAN" };

export function ThroughputSection({ throughput, environments }: Pick<Report, "throughput" | "environments">) {
  const ways = [
    ...Map.groupBy(throughput?.runs ?? [], ({ cable, encapsulation }) => `${cable} ${encapsulation}`).values(),
  ];
  if (!throughput || ways.length === 0) return null;
  return (
    <Section id="throughput" title="Throughput, and CPU per gigabit">
      <p>{throughput.verdict}</p>
      <Dated of="throughput" environments={environments} />
      <ul class="key-of-lines">
        {[...new Set(throughput.runs.map(({ path }) => path))].map((path) => (
          <li>
            <span class="part" style={`--part: ${modeColour(path)}`}>
              {paths[path]}
            </span>
          </li>
        ))}
        <li>solid line: fewest streams; dashed: more</li>
      </ul>
      {ways.map((runs, index) => (
        <div class="pair">
          <Against runs={runs} number={index + 1} quantity="gbitPerSecond" title="Throughput" />
          <Against runs={runs} number={index + 1} quantity="cpuSecondsPerGbit" title="CPU seconds per gigabit" />
        </div>
      ))}
      <Ratios ratios={throughput.ratios} />
    </Section>
  );
}

interface AgainstProps {
  /** All over the same cable, in the same encapsulation. */
  runs: Runs;
  number: number;
  quantity: "gbitPerSecond" | "cpuSecondsPerGbit";
  title: string;
}

function Against({ runs, number, quantity, title }: AgainstProps) {
  const [first] = runs;
  const how = first ? `${encapsulations[first.encapsulation]}, ${cables[first.cable]}` : "";
  const points = runs.map(
    ({ path, mtu, streams, messageBytes, [quantity]: { value } }) =>
      `${modeName(path)}, MTU ${mtu}, ${streams} streams, ${messageBytes} bytes: ${figure(value)}`,
  );
  const numbers = ["MTU", "streams", "bytes per write", title];
  const own = quantity === "cpuSecondsPerGbit" ? ["of that, the two machines and softirq"] : [];
  return (
    <Figure
      id={`throughput-${number}-${quantity === "gbitPerSecond" ? "gbit" : "cpu"}`}
      title={title}
      caption={`Between nodes, ${how}; with 95 % intervals.`}
      description={listed(points)}
      plot={(width) => throughputPlot(runs, quantity, width)}
      table={
        <Table
          caption={`${title} (95 % interval), ${how}`}
          columns={[
            { head: "path" },
            ...[...numbers, ...own, "rounds", "set aside"].map((head) => ({ head, number: true })),
          ]}
          rows={runs.map((run) => [
            modeName(run.path),
            run.mtu,
            run.streams,
            figure(run.messageBytes, 0),
            withSpread(run[quantity]),
            ...(own.length > 0 ? [withSpread(run.ownCpuSecondsPerGbit)] : []),
            run.rounds,
            run.disturbedRounds,
          ])}
        />
      }
    />
  );
}

function Ratios({ ratios }: Pick<Throughput, "ratios">) {
  if (ratios.length === 0) return null;
  return (
    <Table
      caption="Ratios in the same run"
      columns={[
        { head: "what" },
        { head: "of" },
        { head: "to" },
        { head: "ratio (95 % interval)", number: true },
        { head: "difference" },
      ]}
      rows={ratios.map(({ of, to, quantity, ratio, difference }) => [
        quantityName(quantity),
        modeName(of),
        modeName(to),
        withSpread(ratio, 3),
        difference,
      ])}
    />
  );
}
