import { maps, outcomeNames } from "../../agent/kernel/layout.gen.ts";
import { describeError, libbpf } from "../../agent/kernel/libbpf.ts";

/** The counters of outcomes, read with one system call: the fuzzer reads them after every packet. */
export class OutcomeCounters {
  readonly #fd: number;
  readonly #cpus = libbpf().possibleCpus();
  readonly #count = maps.outcomes.maxEntries;
  readonly #stride = Math.ceil(maps.outcomes.value.size / 8);
  readonly #keys = new Uint8Array(4 * this.#count);
  readonly #next = new Uint8Array(8);
  readonly #wanted = new Uint32Array(1);
  readonly #bytes = new Uint8Array(this.#count * this.#cpus * this.#stride * 8);
  readonly #values = new BigUint64Array(this.#bytes.buffer);
  readonly #before = new Float64Array(this.#count);

  constructor(fd: number) {
    this.#fd = fd;
    this.since();
  }

  /** The outcomes that were counted since the last call, each as often as it was. */
  since(): string[] {
    this.#load();
    const found: string[] = [];
    for (let outcome = 0; outcome < this.#count; outcome++) {
      const now = this.#packets(outcome);
      const more = now - (this.#before[outcome] as number);
      this.#before[outcome] = now;
      for (let times = 0; times < more; times++) found.push(outcomeNames.get(outcome) ?? `outcome ${outcome}`);
    }
    return found;
  }

  #load(): void {
    this.#wanted[0] = this.#count;
    const result = libbpf().lookupBatch(this.#fd, null, this.#next, this.#keys, this.#bytes, this.#wanted, null);
    // ENOENT: the end of the map.
    if (result < 0 && result !== -2) throw new Error(`Cannot read the counters: ${describeError(result)}.`);
  }

  /** `packets` is the first word of struct outcome_counter. */
  #packets(outcome: number): number {
    let sum = 0;
    for (let cpu = 0; cpu < this.#cpus; cpu++) sum += Number(this.#values[(outcome * this.#cpus + cpu) * this.#stride]);
    return sum;
  }
}
