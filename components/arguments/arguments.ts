import * as pulumi from "@pulumi/pulumi";
import { at, type InputPlace, isLater, refuse, refuseBecause } from "../refusal/refusal.ts";
import { didYouMean } from "../refusal/suggestion.ts";
import { oneOf } from "../values/choices.ts";
import { CHOICES, FIELDS } from "./arguments.gen.ts";
import { choiceHint, isObject, listHint, primitiveHint } from "./hints.ts";
import { otherWord } from "./other-words.ts";

/** Type of an argument or of one of its fields. The schema for other languages uses the same types. */
export interface Field {
  type?: string;
  /** One of the keys of `FIELDS`. */
  object?: string;
  /** One of the keys of `CHOICES`. */
  choice?: string;
  list?: Field;
  map?: Field;
  optional?: boolean;
  /** The value must be known when the program runs: the output of a resource is refused. */
  plain?: boolean;
}

const OBJECTS: Record<string, Record<string, Field>> = FIELDS;
const ENUMS: Record<string, readonly string[]> = CHOICES;

/** Refuses keys that a component does not have and values of another type, at every depth: types prove nothing where arguments come from
 * configuration or from a program that is not compiled. An output of another resource is checked as soon as its value is known.
 * @returns the arguments, whose outputs check their values */
export function requireArguments<Args extends object>(
  place: InputPlace,
  component: keyof typeof FIELDS,
  args: Args,
): Args {
  return lookedAt(place, args, { object: component, plain: true }) as Args;
}

function lookedAt(place: InputPlace, value: unknown, field: Field): unknown {
  if (value === undefined && field.optional) return undefined;
  refuseTextOfOutput(place, value);
  if (isLater(value) || pulumi.isUnknown(value)) return lookedAtLater(place, value, field);
  if (field.type === "any" && value !== undefined && value !== null) return value;
  if (field.choice) return choiceOf(place, value, ENUMS[field.choice] ?? []);
  if (field.list) return listOf(place, value, field.list, field);
  if (field.map) return mapOf(place, value, field.map, field);
  if (field.object) return objectOf(place, value, field.object, field);
  return primitiveOf(place, value, field);
}

/** The text that the SDK produces where a program puts an output into a string. */
const OF_OUTPUT = /Calling \[to(?:String|JSON)\] on an \[Output<T>\]/;

function refuseTextOfOutput(place: InputPlace, value: unknown): void {
  if (typeof value !== "string" || !OF_OUTPUT.test(value)) return;
  const write = "pulumi.interpolate`…`, pulumi.jsonStringify(…) or .apply(…)";
  refuseBecause(place, `is a text with an output of another resource in it; write ${write} instead`);
}

/** If a value may come from a resource, each part of it may. */
function below(field: Field, parent: Field): Field {
  return parent.plain ? field : { ...field, plain: false };
}

function lookedAtLater(place: InputPlace, value: unknown, field: Field): unknown {
  if (field.plain) {
    refuse(
      place,
      value,
      `${expected(field)} that the program knows before any resource exists (what is declared depends on it)`,
    );
  }
  if (pulumi.isUnknown(value)) return value;
  return (pulumi.output(value) as pulumi.Output<unknown>).apply((known) => lookedAt(place, known, field));
}

function objectOf(place: InputPlace, value: unknown, type: string, field: Field): object {
  if (!isObject(value)) return refuse(place, value, expected(field));
  const fields = OBJECTS[type] ?? {};
  for (const key of Object.keys(value))
    if (!Object.hasOwn(fields, key)) refuseKey(place, type, key, Object.keys(fields));
  const entries = Object.entries(fields).map(([key, of]) => [
    key,
    lookedAt(at(place, key), value[key], below(of, field)),
  ]);
  return Object.fromEntries(entries.filter(([key, item]) => item !== undefined || (key as string) in value));
}

function refuseKey(place: InputPlace, type: string, key: string, allowed: string[]): never {
  const other = otherWord(type, key);
  const hint = other ? `; ${other}` : didYouMean(key, allowed);
  return refuseBecause(place, `unknown key "${key}"${hint} (allowed: ${allowed.join(", ")})`);
}

function listOf(place: InputPlace, value: unknown, item: Field, field: Field): unknown[] {
  if (!Array.isArray(value)) return refuse(place, value, `${expected(field)}${listHint(value, item)}`);
  return Array.from(value, (one, index) => lookedAt(at(place, index), one, below(item, field)));
}

function mapOf(place: InputPlace, value: unknown, item: Field, field: Field): object {
  if (!isObject(value)) return refuse(place, value, expected(field));
  const entries = Object.entries(value).map(([key, one]) => [key, lookedAt(at(place, key), one, below(item, field))]);
  return Object.fromEntries(entries);
}

function choiceOf(place: InputPlace, value: unknown, allowed: readonly string[]): unknown {
  if (allowed.includes(value as string)) return value;
  return refuse(place, value, `${oneOf([...allowed])}${choiceHint(value, allowed)}`);
}

function primitiveOf(place: InputPlace, value: unknown, field: Field): unknown {
  if (typeof value === field.type && !Number.isNaN(value)) return value;
  return refuse(place, value, `${expected(field)}${primitiveHint(place, value, field)}`);
}

const IN_WORDS: Record<string, string> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  any: "given",
};

function expected({ type = "", object, list, map, choice }: Field): string {
  if (object) return `an object with ${Object.keys(OBJECTS[object] ?? {}).join(", ")}`;
  if (choice) return oneOf([...(ENUMS[choice] ?? [])]);
  if (list) return "a list";
  return map ? "an object with texts as values" : (IN_WORDS[type] ?? type);
}
