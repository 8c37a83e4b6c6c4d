import Table from "cli-table3";
import { bootstrap, median, pairedRatio, quantile } from "../../../measure/statistics/statistics.ts";
import type { Environment } from "../../../report/results/environment.ts";
import type { Estimate } from "../../../report/results/figures.ts";
import type { IdentityCount } from "./identities.ts";
import { type Batch, type Changes, type ChangeTime, type Flow, flows, type Side } from "./measured.ts";

/** One dataplane in one round. */
export interface Measured extends Batch {
  readonly side: Side;
  readonly count: number;
  readonly flow: Flow;
  readonly round: number;
}

export interface PacketCost {
  readonly side: Side;
  readonly policies: number;
  readonly flow: Flow;
  /** ns of real packets, with the sender's share; the floor is a packet that is dropped at the node's interface. */
  readonly onTheWire: Estimate;
  /** Of what is left without the floor: to the fewest policies. */
  readonly ratio: Estimate;
  /** ns of the program alone (BPF_PROG_TEST_RUN), and its ratio. */
  readonly program?: Estimate;
  readonly programRatio?: Estimate;
  /** Share of the packets that reached the pod's interface. */
  readonly arrived: number;
}

interface ChangeCost {
  readonly p50: ChangeTime;
  readonly p99: ChangeTime;
}

export interface PolicyCosts {
  readonly environment: Environment;
  readonly pods: number;
  readonly policies: number;
  readonly packets: readonly PacketCost[];
  readonly changes: { readonly ebpf: ChangeCost; readonly nftables: ChangeCost };
  readonly last: Omit<Changes, "ebpf" | "nftables">;
  readonly identities: readonly IdentityCount[];
}

export function summarize(measured: readonly Measured[], { ebpf, nftables, ...last }: Changes) {
  const of = (side: Side, flow: Flow, count: number) =>
    measured.filter((one) => one.side === side && one.flow === flow && one.count === count);
  const cost = (side: Side, flow: Flow, count: number, fewest: number): PacketCost => {
    const [rounds, first] = [of(side, flow, count), of(side, flow, fewest)];
    const floor = of("floor", flow, 0);
    const ratioOf = (value: (one: Measured, round: number) => number) =>
      pairedRatio(rounds.map((one, at) => ({ of: value(one, at), to: value(first[at] as Measured, at) })));
    const program = rounds.flatMap((one) => one.program ?? []);
    return {
      ...{ side, policies: count, flow },
      onTheWire: bootstrap(
        rounds.map((one) => one.onTheWire),
        median,
      ),
      ratio: ratioOf((one, at) => one.onTheWire - (side === "floor" ? 0 : (floor[at]?.onTheWire ?? 0))),
      ...(program.length > 0 && {
        program: bootstrap(program, median),
        programRatio: ratioOf((one) => one.program ?? 0),
      }),
      arrived: median(rounds.map(({ arrived, sent }) => arrived / sent)),
    };
  };
  const counts = (side: Side) => [...new Set(measured.filter((one) => one.side === side).map(({ count }) => count))];
  const packets = flows.flatMap((flow) =>
    (["floor", "ebpf", "nftables"] as const).flatMap((side) =>
      counts(side).map((count) => cost(side, flow, count, counts(side)[0] ?? 0)),
    ),
  );
  return { packets, changes: { ebpf: spread(ebpf), nftables: spread(nftables) }, last };
}

function spread(times: readonly ChangeTime[]): ChangeCost {
  const at = (share: number): ChangeTime => ({
    wall: quantile(
      times.map(({ wall }) => wall),
      share,
    ),
    cpu: quantile(
      times.map(({ cpu }) => cpu),
      share,
    ),
  });
  return { p50: at(0.5), p99: at(0.99) };
}

export function tablesOf({ packets, changes, last, identities, pods, policies, environment }: PolicyCosts): string {
  const plain = { style: { head: [], border: [] } };
  const costs = new Table({
    head: ["new connection", "dataplane", "policies", "ns, real packets", "ratio", "ns, program", "ratio"],
    ...plain,
  });
  for (const { flow, side, policies: count, onTheWire, ratio, program, programRatio } of packets)
    costs.push([
      flow,
      side,
      side === "floor" ? "" : count,
      ns(onTheWire),
      side === "floor" ? "" : times(ratio),
      program ? ns(program) : "",
      programRatio ? times(programRatio) : "",
    ]);
  const change = new Table({ head: ["one policy changes", "p50, ms", "p99, ms", "p50, ms of CPU", "p99"], ...plain });
  for (const [what, { p50, p99 }] of Object.entries({
    "eBPF: compiled and in the maps": changes.ebpf,
    "nftables: nft -f of its set and chain": changes.nftables,
  }))
    change.push([what, ...[p50.wall, p99.wall, p50.cpu, p99.cpu].map((ms) => ms.toFixed(1))]);
  const count = new Table({ head: ["policies", "label sets", "identities, apart", "overlapping"], ...plain });
  for (const { policies: of, labelSets, apart, overlapping } of identities)
    count.push([of, labelSets, apart, overlapping]);
  return [
    `${costs}`,
    "All policies apply to the pod; the last one decides. Ratios: to the fewest policies, real packets without the floor.",
    `${change}`,
    `${pods} pods, ${policies} policies, all of which apply on the node; ${last.written} entries written, ${last.identities} identities, ` +
      `${last.entries.policies} entries of policies and ${last.entries.locations} of locations`,
    `memory: ${last.resident.toFixed(0)} MB resident with the cluster's objects, ${last.maps.toFixed(0)} MB of maps`,
    `${count}`,
    `load before: ${environment.loadBefore}`,
  ].join("\n");
}

const ns = ({ value, low, high }: Estimate) => `${value.toFixed(0)} (${low.toFixed(0)}-${high.toFixed(0)})`;
const times = ({ value, low, high }: Estimate) => `${value.toFixed(2)}× (${low.toFixed(2)}-${high.toFixed(2)})`;
