// Calico's selector language (projectcalico.org/v3: `selector`, `namespaceSelector` and their like) as values.

/** A condition on labels. `in` and `not in` have their values sorted, each once. */
export type Expression =
  | { readonly kind: "all" | "global" }
  | { readonly kind: "has"; readonly label: string }
  | { readonly kind: Comparison; readonly label: string; readonly value: string }
  | { readonly kind: "in" | "not in"; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: "not"; readonly operand: Expression }
  | { readonly kind: "and" | "or"; readonly operands: readonly Expression[] };

/** How a label's value is compared with a text. A label that is absent satisfies only `!=` and `not in`. */
export type Comparison = "==" | "!=" | "contains" | "starts with" | "ends with";

/** The value of a label, undefined where it is absent. */
export type LabelLookup = (label: string) => string | undefined;

/** Whether labels satisfy the expression. The meaning of `global()` depends on its place: as an expression it matches everything, like
 * `all()`. */
export function fits(expression: Expression, lookup: LabelLookup): boolean {
  switch (expression.kind) {
    case "all":
    case "global":
      return true;
    case "not":
      return !fits(expression.operand, lookup);
    case "and":
      return expression.operands.every((operand) => fits(operand, lookup));
    case "or":
      return expression.operands.some((operand) => fits(operand, lookup));
  }
  const value = lookup(expression.label);
  if (value === undefined) return expression.kind === "!=" || expression.kind === "not in";
  switch (expression.kind) {
    case "has":
      return true;
    case "==":
      return value === expression.value;
    case "!=":
      return value !== expression.value;
    case "contains":
      return value.includes(expression.value);
    case "starts with":
      return value.startsWith(expression.value);
    case "ends with":
      return value.endsWith(expression.value);
    case "in":
      return expression.values.includes(value);
    case "not in":
      return !expression.values.includes(value);
  }
}

/** Labels as objects have them. */
export function lookupIn(labels: Readonly<Record<string, string>>): LabelLookup {
  return (label) => (Object.hasOwn(labels, label) ? labels[label] : undefined);
}

/** Labels, with their values, that every match has: an index may look up any of them first. */
export function requiredLabels(expression: Expression): readonly (readonly [label: string, value: string])[] {
  switch (expression.kind) {
    case "==":
      return [[expression.label, expression.value]];
    case "in":
      return expression.values.length === 1 ? [[expression.label, expression.values[0] as string]] : [];
    case "and":
      return expression.operands.flatMap(requiredLabels);
    default:
      return [];
  }
}

/** The labels that decide: objects with the same values of these labels match alike. */
export function labelsOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "all":
    case "global":
      return [];
    case "not":
      return labelsOf(expression.operand);
    case "and":
    case "or":
      return [...new Set(expression.operands.flatMap(labelsOf))];
    default:
      return [expression.label];
  }
}
