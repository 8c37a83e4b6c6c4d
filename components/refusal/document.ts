import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { faultsOf } from "../documents/faults.ts";
import { at, checkedBeside, type InputPlace, refuse, refuseBecause } from "./refusal.ts";

/** A value of which every part may be known later, with enums as texts: the schema looks at the words. */
export type Declared<Value> = pulumi.Input<Shape<Value>>;
type Shape<Value> = Value extends string
  ? string
  : Value extends (infer Item)[]
    ? Declared<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: Declared<Value[Key]> }
      : Value;

/**
 * Refuses a document for a program that the program itself would refuse: at once where the program of the stack has all of it, so that
 * a preview says it already; else as soon as it is known.
 * @param place of the arguments, whose fields have the names of the document's
 * @returns the document as it was given: the program that reads it fills in defaults
 */
export function requireDocument<Schema extends z.ZodType, Document extends Declared<z.input<Schema>>>(
  place: InputPlace,
  schema: Schema,
  document: Document,
): Document {
  return checkedBeside<unknown, never>(document, [], (known) => {
    const [fault] = faultsOf(schema, known);
    if (fault) refuseFault(place, fault);
    return known;
  }) as Document;
}

/** The same as the text that the program reads. */
export function documentText<Schema extends z.ZodType>(
  place: InputPlace,
  schema: Schema,
  document: Declared<z.input<Schema>>,
): pulumi.Output<string> {
  return pulumi.jsonStringify(requireDocument(place, schema, document));
}

function refuseFault(place: InputPlace, { path, received, allowed, message }: ReturnType<typeof faultsOf>[number]) {
  const field = path.reduce<InputPlace>((below, key) => at(below, key), place);
  return allowed === undefined ? refuseBecause(field, message) : refuse(field, received, allowed);
}
