import { fits, type LabelLookup } from "./expression.ts";
import { parseSelector } from "./parse.ts";

/** A selector that is parsed once and evaluated often; absent: everything matches. A selector that cannot be parsed matches nothing. */
export function fitting(selector: string | undefined): (labels: LabelLookup) => boolean {
  if (selector === undefined) return () => true;
  const { expression } = parseSelector(selector) as Extract<ReturnType<typeof parseSelector>, { fault?: never }>;
  return expression ? (labels) => fits(expression, labels) : () => false;
}
