// What of an expectation contradicts itself: the same for check files and for components. Imports nothing.

/** The numbers of an expectation, from components and check files alike. */
export interface Counted {
  verdict: string;
  /** Attempts. */
  count: number;
  /** Least number of servers that answer. */
  spread?: number;
  /** Largest number of servers that answer. */
  spreadAtMost?: number;
}

/** A number that cannot be met. */
export interface Contradiction {
  field: "spread" | "spreadAtMost";
  /** Why, as the rest of a sentence about the field. */
  problem: string;
  allowed: string;
}

/** Attempts of one expectation. */
export const COUNTS = { least: 1, most: 1000 };

/** Every contradiction, in the order of the fields. */
export function contradictionsIn({ verdict, count, spread, spreadAtMost }: Counted): Contradiction[] {
  const found: Contradiction[] = [];
  const refuse = (field: Contradiction["field"], problem: string, allowed: string) =>
    void found.push({ field, problem, allowed });
  if (spread !== undefined && spread > count)
    refuse("spread", `${spread} servers cannot answer ${count} attempts`, `at most count, which is ${count}`);
  if (spreadAtMost !== undefined && spreadAtMost >= count)
    refuse("spreadAtMost", `${count} attempts always keep to it`, `less than count, which is ${count}`);
  if (spread !== undefined && spreadAtMost !== undefined && spread > spreadAtMost)
    refuse("spreadAtMost", `is less than spread, which is ${spread}`, "spread or more");
  for (const [field, given] of [
    ["spread", spread],
    ["spreadAtMost", spreadAtMost],
  ] as const) {
    if (given !== undefined && verdict !== "allowed")
      refuse(field, `needs answers, and verdict is ${verdict}`, "absent unless verdict is allowed");
  }
  return found;
}
