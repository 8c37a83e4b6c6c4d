import type { z } from "zod";
import { didYouMean, nearest } from "../refusal/suggestion.ts";

/** This project's names for zod's types. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** What a schema's own message does not say: for `safeParse(document, { error: issueWords })`. "must be …" where a value is wrong. */
export function issueWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}${suggestion(issue.input, issue.values)}`;
    case "too_small":
      return `must be ${bound(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum)}`;
    case "too_big":
      return `must be ${bound(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum)}`;
    case "unrecognized_keys": {
      const allowed = fieldsOf(issue.inst);
      const wrong = issue.keys.map((key) => `unknown key "${key}"${didYouMean(key, allowed)}`).join("; ");
      return allowed.length > 0 ? `${wrong} (allowed: ${allowed.join(", ")})` : wrong;
    }
    default:
      return undefined;
  }
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === "string") return `a text of ${relation} ${limit} ${limit === 1 ? "character" : "characters"}`;
  if (origin === "array") return `a list of ${relation} ${limit} ${limit === 1 ? "item" : "items"}`;
  return `${relation} ${limit}`;
}

function suggestion(input: unknown, values: readonly unknown[]): string {
  const meant = typeof input === "string" ? nearest(input, values.map(String)) : undefined;
  return meant === undefined ? "" : ` (did you mean "${meant}"?)`;
}

function fieldsOf(inst: unknown): string[] {
  const shape = (inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return Object.keys(shape ?? {});
}
