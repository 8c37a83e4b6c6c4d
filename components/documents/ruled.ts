import { z } from "zod";

/** A text that a rule allows; the rule says what it must be instead. */
export function ruled(rule: (value: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const allowed = rule(value);
    // Rules between fields rely on those of the fields.
    if (allowed !== undefined) context.addIssue({ code: "custom", message: `must be ${allowed}`, continue: false });
  });
}

/** What a program writes for a schema: its fields, with enums as texts (the schema looks at the words when it is written). */
export type Written<Value> = Value extends string
  ? string
  : Value extends (infer Item)[]
    ? Written<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: Written<Value[Key]> }
      : Value;
