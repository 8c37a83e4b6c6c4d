// What CNI calls waited for, as agents' metrics tell it.

/** Sums of the histograms of several agents, and of several lives of one. */
export class StepTimes {
  readonly #steps = new Map<string, { count: number; seconds: number; within: Map<number, number> }>();

  /** Adds what an agent has counted since it started: the page that it shows to Prometheus. */
  add(page: string): void {
    for (const [, kind, labels = "", step = "", value] of page.matchAll(LINE)) {
      const known = this.#steps.get(step) ?? { count: 0, seconds: 0, within: new Map() };
      this.#steps.set(step, known);
      const number = Number(value);
      const le = Number(/le="([^"]+)"/.exec(labels)?.[1]?.replace("+Inf", "Infinity"));
      if (kind === "count") known.count += number;
      else if (kind === "sum") known.seconds += number;
      else known.within.set(le, (known.within.get(le) ?? 0) + number);
    }
  }

  /** "policy 20 ms, 99 % within 50 ms" */
  lines(): string[] {
    return [...this.#steps].map(([step, { count, seconds, within }]) => {
      const limits = [...within].sort(([a], [b]) => a - b);
      const [limit = Number.NaN] = limits.find(([, counted]) => counted >= 0.99 * count) ?? [];
      return `${step} ${Math.round((1000 * seconds) / count)} ms, 99 % within ${Math.round(1000 * limit)} ms`;
    });
  }
}

// ebpf_dataplane_cni_add_step_seconds_bucket{le="0.02",step="policy"} 7
const LINE = /^ebpf_dataplane_cni_add_step_seconds_(bucket|sum|count)\{((?:[^}]*,)?step="(\w+)"[^}]*)\} (\S+)$/gm;
