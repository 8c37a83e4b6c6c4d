import { seeded, shuffled } from "./random.ts";

/**
 * The order of modes, one row per round: a Latin square whose rows are shuffled again each time it is used
 * up. Every mode is equally often at every position of a round, and equally often after every other mode (Williams'
 * design; with an odd number of modes in pairs of squares), so neither drift nor the aftereffects of a mode favour one.
 */
export function balancedOrder<T>(modes: readonly T[], rounds: number, seed: number): T[][] {
  const random = seeded(seed);
  const order: T[][] = [];
  while (order.length < rounds) {
    const names = shuffled(modes, random);
    order.push(...shuffled(williamsSquare(names.length), random).map((row) => row.map((index) => names[index] as T)));
  }
  return order.slice(0, rounds);
}

/** Rows of indices 0 to count - 1. */
function williamsSquare(count: number): number[][] {
  // 0, 1, n-1, 2, n-2, ...: the steps between neighbours are all different.
  const first = Array.from({ length: count }, (_, place) =>
    place % 2 === 1 ? (place + 1) / 2 : (count - place / 2) % count,
  );
  const rows = Array.from({ length: count }, (_, shift) => first.map((index) => (index + shift) % count));
  return count % 2 === 0 ? rows : [...rows, ...rows.map((row) => [...row].reverse())];
}
