import type { MapDefinition } from "./codec.ts";
import { maps, type Outcome, type OutcomeCounter, outcomeNames, Report, type ReportCounter } from "./layout.gen.ts";
import { describeError, libbpf } from "./libbpf.ts";
import { openMap, type Pins } from "./pins.ts";

/** Packet counters by outcome name, summed over the CPUs since the map was created. */
export type OutcomeTotals = Map<string, OutcomeCounter>;

/** Opens the counters once; each call of the result reads them. */
export function outcomeReader(pins: Pins): () => OutcomeTotals {
  const fd = openMap(pins, maps.outcomes.name);
  return () => readOutcomes(fd);
}

export function readOutcomes(fd: number): OutcomeTotals {
  return new Map([...outcomeNames].map(([outcome, name]) => [name, sum(readPerCpu(maps.outcomes, fd, outcome))]));
}

/** The packets of one outcome. */
export function outcomeCounter(pins: Pins, outcome: Outcome): () => bigint {
  const fd = openMap(pins, maps.outcomes.name);
  return () => sum(readPerCpu(maps.outcomes, fd, outcome)).packets;
}

/** Events by kind: how many were sent, how many were over the limit, and how many found the ring full. */
export type ReportTotals = Map<"opened" | "refused" | "logged", Omit<ReportCounter, "window" | "inWindow">>;

/** The same for the events in the ring. */
export function reportReader(pins: Pins): () => ReportTotals {
  const fd = openMap(pins, maps.reports.name);
  const total = (kind: number) => {
    const counters = readPerCpu(maps.reports, fd, kind);
    const sum = (field: "sent" | "suppressed" | "lost") =>
      counters.reduce((result, counter) => result + counter[field], 0n);
    return { sent: sum("sent"), suppressed: sum("suppressed"), lost: sum("lost") };
  };
  return () =>
    new Map([
      ["opened", total(Report.OPENED)],
      ["refused", total(Report.REFUSED)],
      ["logged", total(Report.LOGGED)],
    ]);
}

// The kernel returns the values of all possible CPUs one after the other, each rounded up to 8 bytes.
export function readPerCpu<V>(definition: MapDefinition<number, V>, fd: number, key: number): V[] {
  const cpus = libbpf().possibleCpus();
  const stride = Math.ceil(definition.value.size / 8) * 8;
  const values = new Uint8Array(cpus * stride);
  const result = libbpf().lookup(fd, new Uint8Array(Uint32Array.of(key).buffer), values);
  if (result < 0) throw new Error(`Cannot read map ${definition.name}: ${describeError(result)}.`);
  const view = new DataView(values.buffer);
  return Array.from({ length: cpus }, (_, cpu) => definition.value.decode(view, cpu * stride));
}

function sum(counters: OutcomeCounter[]): OutcomeCounter {
  return counters.reduce((total, { packets, bytes, early }) => ({
    packets: total.packets + packets,
    bytes: total.bytes + bytes,
    early: total.early + early,
  }));
}
