import type { Expression } from "./expression.ts";

/** Reduces a selector to fewer forms, so that selectors with the same meaning have one text: nested `&&` and `||` are flat, sorted and
 * without repetitions, `!` stands only before an expression without an opposite, sets of one value are comparisons. The result is cheap
 * and not complete: equal texts mean the same, but different texts may mean the same too. */
export function canonical(expression: Expression): Expression {
  switch (expression.kind) {
    case "in":
    case "not in":
      return ofSet(expression);
    case "not":
      return opposite(canonical(expression.operand));
    case "and":
    case "or":
      return joined(expression.kind, expression.operands.map(canonical));
    default:
      return expression;
  }
}

const ALL: Expression = { kind: "all" };
const NOBODY: Expression = { kind: "not", operand: ALL };

function ofSet(set: Extract<Expression, { values: readonly string[] }>): Expression {
  const { kind, label, values } = set;
  const [only] = values;
  if (only === undefined) return kind === "in" ? NOBODY : ALL;
  return values.length === 1 ? { kind: kind === "in" ? "==" : "!=", label, value: only } : set;
}

function opposite(expression: Expression): Expression {
  switch (expression.kind) {
    case "not":
      return expression.operand;
    case "==":
    case "!=":
      return { ...expression, kind: expression.kind === "==" ? "!=" : "==" };
    case "in":
    case "not in":
      return { ...expression, kind: expression.kind === "in" ? "not in" : "in" };
    default:
      return { kind: "not", operand: expression };
  }
}

function joined(kind: "and" | "or", operands: readonly Expression[]): Expression {
  const flat = operands.flatMap((operand) => (operand.kind === kind ? operand.operands : [operand]));
  const byText = new Map(flat.map((operand) => [printed(operand), operand]));
  const [neutral, deciding] = kind === "and" ? [ALL, NOBODY] : [NOBODY, ALL];
  if (byText.has(printed(deciding))) return deciding;
  byText.delete(printed(neutral));
  const texts = [...byText.keys()].sort();
  if (texts.length === 0) return neutral;
  const kept = texts.map((text) => byText.get(text) as Expression);
  return kept.length === 1 ? (kept[0] as Expression) : { kind, operands: kept };
}

/** In Calico's syntax: `parseSelector` of the text gives the same expression. */
export function printed(expression: Expression): string {
  switch (expression.kind) {
    case "all":
    case "global":
      return `${expression.kind}()`;
    case "has":
      return `has(${expression.label})`;
    case "not":
      return expression.operand.kind === "not" ? `!(${printed(expression.operand)})` : `!${inside(expression.operand)}`;
    case "and":
      return expression.operands.map(inside).join(" && ");
    case "or":
      return expression.operands.map((part) => (part.kind === "or" ? inside(part) : printed(part))).join(" || ");
    case "in":
    case "not in":
      return `${expression.label} ${expression.kind} {${expression.values.map(quoted).join(", ")}}`;
    default:
      return `${expression.label} ${expression.kind} ${quoted(expression.value)}`;
  }
}

function inside(expression: Expression): string {
  const joins = expression.kind === "and" || expression.kind === "or";
  return joins ? `(${printed(expression)})` : printed(expression);
}

/** A text cannot have both kinds of quotes. */
const quoted = (text: string): string => (text.includes('"') ? `'${text}'` : `"${text}"`);
