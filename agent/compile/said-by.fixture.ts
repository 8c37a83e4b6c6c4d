import type { DesiredState } from "./desired.ts";

/** All that a state says, in an order that says nothing. */
export function saidBy({ maps, problems, health, closedServices, routes }: DesiredState) {
  const { through: _, ...contents } = maps;
  const entries = Object.entries(contents).map(([map, contributions]) => [
    map,
    contributions
      .flatMap(({ owner, entries }) =>
        [...entries].map((entry) => `${owner}: ${text(entry.key)} = ${text(entry.value)}`),
      )
      .sort(),
  ]);
  return { maps: Object.fromEntries(entries), problems: problems.map(text).sort(), health, closedServices, routes };
}

export const text = (value: unknown) =>
  JSON.stringify(value, (_, item) => (typeof item === "bigint" ? String(item) : item)) ?? "";
