export interface ScalePlan {
  /** Numbers of services, ascending. */
  readonly counts: readonly number[];
  /** Rounds of connections at each number, all modes in each. */
  readonly rounds: number;
  /** New connections of one mode in one round. */
  readonly connections: number;
  /** Number of additional services to create and time. */
  readonly additions: number;
}

export interface ScaleOptions {
  readonly quick: boolean;
  readonly rounds?: number;
  readonly counts?: readonly number[];
}

export function planScale({ quick, rounds, counts }: ScaleOptions): ScalePlan {
  return {
    counts: counts ?? (quick ? [1, 10, 100] : [1, 10, 100, 1000, 10_000]),
    rounds: rounds ?? (quick ? 7 : 15),
    connections: 240,
    additions: quick ? 1 : 3,
  };
}

/** Which of `count` services are connected to: at most eight, evenly spread, the first and the newest among them. */
export function sampleOf(count: number): number[] {
  const samples = Math.min(8, count);
  if (samples === 1) return [count];
  return Array.from({ length: samples }, (_, place) => Math.round(1 + (place * (count - 1)) / (samples - 1)));
}

/** Seconds on two idle cores: creating objects, three machines with their programs, connections. */
export const expectedSeconds = ({ counts, rounds }: ScalePlan): number =>
  15 + counts.reduce((sum, count) => sum + 25 + rounds * 0.6 + count * 0.03, 0);
