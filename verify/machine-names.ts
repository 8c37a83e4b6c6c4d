import type { Check, Expectation } from "../components/documents/check.ts";
import { didYouMean } from "../components/refusal/suggestion.ts";
import { CheckFileError } from "./format/read.ts";

/** Refuses unknown machines, because waiting will not create them. */
export function requireMachines(check: Check, machines: string[], file: string): void {
  const there =
    machines.length > 0
      ? `machines: ${machines.join(", ")}`
      : "no machines are known here; is the lab up, or is their SSH connection given?";
  const named = [
    ...check.listen.flatMap(({ at: { value } }, index) =>
      value.kind === "machine" ? [{ field: `listen[${index}].at`, name: value.name }] : [],
    ),
    ...check.steps.flatMap(({ expect }, step) =>
      expect.flatMap((expectation, index) =>
        machinesOf(expectation).map(({ field, name }) => ({ field: `steps[${step}].expect[${index}].${field}`, name })),
      ),
    ),
  ];
  const problems = named
    .filter(({ name }) => !machines.includes(name))
    .map(
      ({ field, name }) => `${file}: ${field}: there is no machine "${name}"${didYouMean(name, machines)} (${there})`,
    );
  if (problems.length > 0) throw new CheckFileError(problems.join("\n"));
}

function machinesOf({ from, source = [] }: Expectation): { field: string; name: string }[] {
  return [
    { field: "from", place: from.value },
    ...source.map(({ value }) => ({ field: "source", place: value })),
  ].flatMap(({ field, place }) => (place.kind === "machine" ? [{ field, name: place.name }] : []));
}
