import type { Rewrite, Stretch } from "./document.ts";
import type { Place } from "./results/topology.ts";

/** Each address translation between two known addresses on the path, and its location if known. */
export function rewritesOf(stretches: Stretch[], places: Place[]): Rewrite[] {
  return (["request", "reply"] as const).flatMap((direction) =>
    (["source", "destination"] as const).flatMap((field) =>
      changes(
        stretches.filter((stretch) => stretch.direction === direction),
        direction,
        field,
        places,
      ),
    ),
  );
}

function changes(
  stretches: Stretch[],
  direction: Rewrite["direction"],
  field: Rewrite["field"],
  places: Place[],
): Rewrite[] {
  const known = stretches.flatMap((stretch, index) => {
    const value = stretch[field];
    return value === undefined ? [] : [{ value, stretch, index }];
  });
  return known.slice(1).flatMap(({ value, stretch, index }, position) => {
    const before = known[position];
    if (!before || before.value === value) return [];
    // Between adjacent legs, the place between them rewrote it. Otherwise the owner of the new address must have done it.
    const neighbours = index - before.index === 1;
    const owner = field === "source" ? places.find(({ address }) => address === hostOf(value))?.name : undefined;
    const at = neighbours ? stretch.from : owner;
    return [{ direction, field, before: before.value, after: value, ...(at && { at }) }];
  });
}

/** `[fd00::1]:80` and `10.0.0.1:80` without the port. */
export function hostOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
}
