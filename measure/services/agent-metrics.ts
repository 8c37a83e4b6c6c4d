/** Times of single changes, from a histogram: each time is known to lie below the limit of its bucket. */
export interface Latency {
  readonly count: number;
  /** Milliseconds that 99 of 100 changes do not exceed: the limit of a bucket; Infinity beyond the last. */
  readonly p99Ms: number;
  readonly meanMs: number;
}

const NAME = "ebpf_dataplane_programming_seconds";
const LAG = "nodejs_eventloop_lag";

/** Of the changed EndpointSlices between two scrapes of an agent. */
export function latencyBetween(before: string, after: string): Latency {
  const grown = (name: string, labels: string) => read(after, name, labels) - read(before, name, labels);
  const count = grown(`${NAME}_count`, 'kind="EndpointSlice"');
  const limits = [...after.matchAll(new RegExp(`^${NAME}_bucket\\{.*le="([^"]+)".*EndpointSlice`, "gm"))].map(
    ([, limit]) => limit ?? "",
  );
  const within = (limit: string) => grown(`${NAME}_bucket`, `le="${limit}",kind="EndpointSlice"`);
  const p99 = limits.find((limit) => within(limit) >= count * 0.99);
  return {
    count,
    p99Ms: p99 === undefined || p99 === "+Inf" ? Number.POSITIVE_INFINITY : 1000 * Number(p99),
    meanMs: (1000 * grown(`${NAME}_sum`, 'kind="EndpointSlice"')) / count,
  };
}

/** How late the agent's event loop was at most, milliseconds: the metrics have the time from one measurement to the next, which is never less than
 * the agent waits between them. */
export function longestBlockMs(scrapes: readonly string[]): number {
  const late = scrapes.map((text) => read(text, `${LAG}_max_seconds`, "") - read(text, `${LAG}_min_seconds`, ""));
  return 1000 * Math.max(0, ...late);
}

function read(text: string, name: string, labels: string): number {
  const start = labels ? `${name}{${labels}} ` : `${name} `;
  const line = text.split("\n").find((one) => one.startsWith(start));
  return line ? Number(line.slice(start.length)) : 0;
}
