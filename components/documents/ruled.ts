import { z } from "zod";

/** A text that a rule allows; the rule says what it must be instead. */
export function ruled(rule: (value: string) => string | undefined, text: z.ZodString = z.string()) {
  return text.superRefine((value, context) => {
    const allowed = rule(value);
    // Rules between fields rely on those of the fields.
    if (allowed !== undefined) context.addIssue({ code: "custom", message: `must be ${allowed}`, continue: false });
  });
}
