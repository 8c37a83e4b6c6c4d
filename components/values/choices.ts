import { type InputPlace, refuse } from "../refusal/refusal.ts";

/** Refuses anything but a whole number of the given range, both ends included. */
export function requireWhole(place: InputPlace, value: number, lowest: number, highest: number): number {
  const fits = Number.isInteger(value) && value >= lowest && value <= highest;
  return fits ? value : refuse(place, value, `a whole number from ${lowest} to ${highest}`);
}

/** Refuses the second and later use of a value that must be unique in its list. */
export function requireUnique(place: (index: number) => InputPlace, values: string[]): void {
  values.forEach((value, index) => {
    const first = values.indexOf(value);
    if (first !== index) refuse(place(index), value, `different from ${place(first).path}`);
  });
}

/** `"a"`, `"a" or "b"`, `"a", "b" or "c"`. */
export function oneOf(values: string[]): string {
  const quoted = values.map((value) => `"${value}"`);
  const last = quoted.pop() ?? "nothing";
  return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}
