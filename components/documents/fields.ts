import { z } from "zod";
import { didYouMean } from "../refusal/suggestion.ts";

/** An object schema that refuses unknown keys and lists the known ones. */
export function known<Shape extends z.core.$ZodShape>(shape: Shape, description: string) {
  const allowed = Object.keys(shape);
  return z
    .strictObject(shape, {
      error: (issue) => {
        if (issue.code !== "unrecognized_keys") return `must be an object with ${allowed.join(", ")}`;
        const wrong = issue.keys.map((key) => `unknown key "${key}"${didYouMean(key, allowed)}`).join("; ");
        return `${wrong} (allowed: ${allowed.join(", ")})`;
      },
    })
    .describe(description);
}

/** A text with its meaning. */
export interface Written<Value> {
  text: string;
  value: Value;
}

/** A text that a parser reads; the parser's message becomes the issue's. */
export function parsed<Value>(parse: (text: string) => Value, allowed: string, description: string) {
  return z
    .string({ error: `must be ${allowed}` })
    .transform((text, context): Written<Value> => {
      try {
        return { text, value: parse(text) };
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message, input: text });
        return z.NEVER;
      }
    })
    .describe(description);
}

export function whole(least: number, most: number, description: string) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error }).describe(description);
}

export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words, description: string) {
  return z
    .enum(words, {
      error: ({ input }) => {
        const written = input === undefined ? "" : `, not ${JSON.stringify(input)}`;
        return `must be ${words.join(" | ")}${written}${didYouMean(String(input), words)}`;
      },
    })
    .describe(description);
}

export const text = (what: string) => z.string({ error: `must be ${what}` }).min(1, { error: `must be ${what}` });
