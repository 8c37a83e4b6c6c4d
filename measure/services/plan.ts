export interface ScalePlan {
  /** Numbers of services, ascending. */
  readonly counts: readonly number[];
  /** Rounds of connections at each number, all modes in each. */
  readonly rounds: number;
  /** New connections of one mode in one round. */
  readonly connections: number;
  /** Number of additional services to create and time. */
  readonly additions: number;
  /** At this number of services, one of `counts`: what many endpoints and their changes cost. */
  readonly full: FullPlan;
}

export interface FullPlan {
  readonly services: number;
  /** Of each service. */
  readonly endpoints: number;
  /** Single changes, one after the other. */
  readonly changes: number;
  /** `aloneSeconds`: before, with our agent alone. */
  readonly churn: { readonly perSecond: number; readonly seconds: number; readonly aloneSeconds: number };
}

/** Endpoints of each service while connections are measured. */
export const ENDPOINTS = 4;

export interface ScaleOptions {
  readonly quick: boolean;
  readonly rounds?: number;
  readonly counts?: readonly number[];
}

export function planScale({ quick, rounds, counts }: ScaleOptions): ScalePlan {
  const all = counts ?? (quick ? [1, 100, 1000] : [1, 1000, 10_000, 30_000]);
  return {
    counts: all,
    rounds: rounds ?? (quick ? 7 : 15),
    connections: 240,
    additions: quick ? 1 : 3,
    full: {
      services: all.includes(10_000) ? 10_000 : (all.at(-1) ?? 1),
      endpoints: 10,
      changes: quick ? 50 : 200,
      churn: { perSecond: 50, seconds: quick ? 30 : 600, aloneSeconds: quick ? 15 : 60 },
    },
  };
}

/** Which of `count` services are connected to: at most eight, evenly spread, the first and the newest among them. */
export function sampleOf(count: number): number[] {
  const samples = Math.min(8, count);
  if (samples === 1) return [count];
  return Array.from({ length: samples }, (_, place) => Math.round(1 + (place * (count - 1)) / (samples - 1)));
}

/** Seconds on two idle cores: creating objects, three machines with their programs, connections. */
export const expectedSeconds = ({ counts, rounds, full }: ScalePlan): number =>
  15 +
  full.services * 0.03 +
  full.changes * 0.1 +
  full.churn.aloneSeconds +
  full.churn.seconds +
  counts.reduce((sum, count) => sum + 25 + rounds * 0.6 + count * 0.03, 0);
