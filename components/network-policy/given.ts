import { at, type InputPlace, refuse } from "../refusal/refusal.ts";

/** Refuses a field that is written but has no value where leaving it out would widen what a policy allows. */
export function requireGiven(place: InputPlace, fields: object): void {
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined)
      refuse(at(place, key), value, "given, or not be written at all: without it the policy allows more");
  }
}
