import { z } from "zod";
import type { Fault } from "./rule-faults.ts";
import {
  keyFault,
  labelValueFault,
  nameFault,
  portsFault,
  protocolFault,
  repetition,
  type SelectorPlace,
  selectorFault,
} from "./values.ts";

// The values of values.ts as zod schemas. They keep what is written: faults between fields are found first (rule-faults.ts).

/** A schema that refuses the values for which `fault` returns a text. */
export function refused<T extends z.ZodType>(schema: T, fault: (value: z.output<T>) => string | undefined) {
  return schema.superRefine((value, context) => {
    const message = fault(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
}

/** The same for faults with a place of their own below the value. */
export function reports(context: z.RefinementCtx, faults: readonly Fault[]): void {
  for (const { path, message } of faults) context.addIssue({ code: "custom", path: [...path], message });
}

const numberOrText = z.union([z.number(), z.string()], { error: "allowed are a number and a text" });
export const protocol = refused(numberOrText, protocolFault);
export const ports = refused(numberOrText, portsFault);

/** A selector, as it is written; an empty one is absent. */
export const selector = (place?: SelectorPlace) =>
  refused(z.string(), (text) => selectorFault(text, place))
    .nullish()
    .transform((text) => text || undefined);

export const objectName = refused(z.string(), (name) => nameFault(name, "object"));

const texts = z.record(z.string(), z.string());
const atKey = (key: string, message: string | undefined): Fault[] => (message ? [{ path: [key], message }] : []);

/** Annotations of something that is no object: they change nothing, but Calico refuses keys that an object could not have. */
export const annotations = texts.superRefine((all, context) =>
  reports(
    context,
    Object.keys(all).flatMap((key) => atKey(key, keyFault(key.toLowerCase()))),
  ),
);

/** Labels that objects will have. */
export const labels = texts.superRefine((all, context) =>
  reports(
    context,
    Object.entries(all).flatMap(([key, value]) => atKey(key, keyFault(key) ?? labelValueFault(value))),
  ),
);

/** A list in which each value stands once. */
export function unique<T extends z.ZodType>(item: T, most?: number) {
  return z
    .array(item)
    .max(most ?? Number.MAX_SAFE_INTEGER, { error: `allowed are ${most}` })
    .superRefine((items, context) => {
      const index = repetition(items);
      if (index >= 0) context.addIssue({ code: "custom", path: [index], message: "stands in the list already" });
    });
}

/** A list whose values may be written in several ways: each is kept once. */
export function distinct<T extends z.ZodType<string>>(item: T, most?: number) {
  return z
    .array(item)
    .max(most ?? Number.MAX_SAFE_INTEGER, { error: `allowed are ${most}` })
    .transform((items) => [...new Set(items)]);
}

/** Values that are allowed, in words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values, { error: `allowed are ${values.join(", ")}` });
}
