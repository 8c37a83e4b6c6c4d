import { encodeOne } from "./codec.ts";
import { maps, type PolicyDecision, policyDecision } from "./layout.gen.ts";
import { describeError, ENOENT, libbpf } from "./libbpf.ts";
import { openMap, type Pins } from "./pins.ts";

/** How often each decision of a policy was made, summed over the CPUs. */
export type VerdictTotals = readonly (readonly [PolicyDecision, number])[];

/** Opens the counters once; each call of the result reads them: at most as many entries as the map has, a fixed number. */
export function verdictReader(pins: Pins): () => VerdictTotals {
  const fd = openMap(pins, maps.verdicts.name);
  return () =>
    decisions(fd).flatMap((decision) => {
      const flows = flowsOf(fd, decision);
      return flows === undefined ? [] : [[decision, flows] as const];
    });
}

// Entries come and go while they are read: a walk that is longer than the map has met an entry that was removed.
function decisions(fd: number): PolicyDecision[] {
  const found: PolicyDecision[] = [];
  let key: Uint8Array | null = null;
  while (found.length < maps.verdicts.maxEntries) {
    const next = new Uint8Array(policyDecision.size);
    if (libbpf().nextKey(fd, key, next) < 0) break;
    found.push(policyDecision.decode(new DataView(next.buffer), 0));
    key = next;
  }
  return found;
}

/** Undefined: it made room meanwhile. */
function flowsOf(fd: number, decision: PolicyDecision): number | undefined {
  const { value } = maps.verdicts;
  const cpus = libbpf().possibleCpus();
  const values = new Uint8Array(cpus * value.size);
  const result = libbpf().lookup(fd, encodeOne(policyDecision, decision), values);
  if (result === -ENOENT) return undefined;
  if (result < 0) throw new Error(`Cannot read map ${maps.verdicts.name}: ${describeError(result)}.`);
  const view = new DataView(values.buffer);
  let flows = 0;
  for (let cpu = 0; cpu < cpus; cpu++) flows += Number(value.decode(view, cpu * value.size).flows);
  return flows;
}
