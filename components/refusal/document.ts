import type { z } from "zod";
import { faultsOf } from "../documents/faults.ts";
import type { Written } from "../documents/ruled.ts";
import { at, type InputPlace, refuse, refuseBecause } from "./refusal.ts";

/**
 * Refuses a document for a program that the program itself would refuse, so that a preview says it already.
 * @param place of the arguments, whose fields have the names of the document's
 * @returns the document as it was given: the program fills in its defaults
 */
export function requireDocument<Schema extends z.ZodType, Document extends Written<z.input<Schema>>>(
  place: InputPlace,
  schema: Schema,
  document: Document,
): Document {
  const [fault] = faultsOf(schema, document);
  if (!fault) return document;
  const field = fault.path.reduce<InputPlace>((below, key) => at(below, key), place);
  return fault.allowed === undefined
    ? refuseBecause(field, fault.message)
    : refuse(field, fault.received, fault.allowed);
}
