// How long CNI ADD took agents, and what it waited for, as their metrics tell it.

interface Times {
  count: number;
  seconds: number;
  /** By limit in seconds: how many were not longer. */
  readonly within: Map<number, number>;
}

/** Sums of the histograms of several agents, and of several lives of one. */
export class StepTimes {
  readonly #steps = new Map<string, Times>();

  /** Adds what an agent has counted since it started: the page that it shows to Prometheus. */
  add(page: string): void {
    for (const [, metric, kind, labels = "", value] of page.matchAll(LINE)) {
      const step = metric === "cni" ? "all of it" : (/step="(\w+)"/.exec(labels)?.[1] ?? "");
      if (metric === "cni" && !(labels.includes('command="ADD"') && labels.includes('result="done"'))) continue;
      const known = this.#steps.get(step) ?? { count: 0, seconds: 0, within: new Map() };
      this.#steps.set(step, known);
      const number = Number(value);
      const limit = Number(/le="([^"]+)"/.exec(labels)?.[1]?.replace("+Inf", "Infinity"));
      if (kind === "count") known.count += number;
      else if (kind === "sum") known.seconds += number;
      else known.within.set(limit, (known.within.get(limit) ?? 0) + number);
    }
  }

  /** "policy 20 ms, half of them within 20 ms, 99 % within 50 ms" */
  lines(): string[] {
    return [...this.#steps].map(([step, { count, seconds, within }]) => {
      const limits = [...within].sort(([a], [b]) => a - b);
      const limitOf = (share: number) => {
        const [limit = Number.NaN] = limits.find(([, counted]) => counted >= share * count) ?? [];
        return Math.round(1000 * limit);
      };
      const mean = (1000 * seconds) / count;
      return `${step} ${mean.toFixed(1)} ms, half within ${limitOf(0.5)} ms, 99 % within ${limitOf(0.99)} ms`;
    });
  }
}

// ebpf_dataplane_cni_add_step_seconds_bucket{le="0.02",step="policy"} 7
const LINE = /^ebpf_dataplane_(cni|cni_add_step)_seconds_(bucket|sum|count)\{([^}]*)\} (\S+)$/gm;
