import { type Expression, fits } from "./expression.ts";

/** What labels may say that are not all known: that they fit, that they do not, or either. */
export interface Possible {
  readonly yes: boolean;
  readonly no: boolean;
}

/** Of labels some of which are not known. Where several parts of the expression are open, all their combinations count, also such as no labels have.
 * @param lookup the value of a label; undefined: it is absent; "?": not known */
export function possible(expression: Expression, lookup: (label: string) => { value?: string } | "?"): Possible {
  const of = (one: Expression) => possible(one, lookup);
  switch (expression.kind) {
    case "all":
    case "global":
      return { yes: true, no: false };
    case "not": {
      const { yes, no } = of(expression.operand);
      return { yes: no, no: yes };
    }
    case "and": {
      const parts = expression.operands.map(of);
      return { yes: parts.every(({ yes }) => yes), no: parts.some(({ no }) => no) };
    }
    case "or": {
      const parts = expression.operands.map(of);
      return { yes: parts.some(({ yes }) => yes), no: parts.every(({ no }) => no) };
    }
  }
  const found = lookup(expression.label);
  if (found === "?") return { yes: true, no: true };
  const yes = fits(expression, () => found.value);
  return { yes, no: !yes };
}
