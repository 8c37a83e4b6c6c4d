// Suggestions for values of a wrong type: what the user probably meant.
import * as pulumi from "@pulumi/pulumi";
import type { InputPlace } from "../refusal/refusal.ts";
import { nearest } from "../refusal/suggestion.ts";
import type { Field } from "./arguments.ts";

export function isObject(value: unknown): value is Record<string, unknown> {
  // A list, a date or a map has another tag.
  return Object.prototype.toString.call(value) === "[object Object]" && !pulumi.Resource.isInstance(value);
}

/** One item without its list, or several as one text. */
export function listHint(value: unknown, item: Field): string {
  if (isObject(value) && item.object) return ", also of one (put it in [ ])";
  if (typeof value !== "string" || (item.type !== "string" && !item.choice)) return "";
  const items = value.split(/[\s,]+/).filter(Boolean);
  return items.length > 0 ? ` (did you mean ${JSON.stringify(items)}?)` : "";
}

export function choiceHint(value: unknown, allowed: readonly string[]): string {
  const meant = typeof value === "string" ? (nearest(value, allowed) ?? onlyAlike(value, allowed)) : undefined;
  return meant === undefined ? "" : ` (did you mean "${meant}"?)`;
}

/** Shorter words are parts of many other words. */
const SHORTEST = 4;

/** The choice that contains the given text, or is contained in it, if there is exactly one: "iptables", "warning". */
function onlyAlike(written: string, allowed: readonly string[]): string | undefined {
  const word = written.toLowerCase();
  const holds = (longer: string, part: string) => part.length >= SHORTEST && longer.includes(part);
  const alike = allowed.filter((one) => holds(one.toLowerCase(), word) || holds(word, one.toLowerCase()));
  return alike.length === 1 ? alike[0] : undefined;
}

export function primitiveHint(place: InputPlace, value: unknown, field: Field): string {
  if (value === null && field.optional) return ", or left out";
  if (field.type === "string") {
    if (isObject(value)) return selectorHint(place, value);
    return typeof value === "number" || typeof value === "boolean" ? ` (did you mean "${value}"?)` : "";
  }
  // The same happens in configuration. The message suggests the number, but the text is not converted ("08" is not 8).
  const bare = typeof value === "string" && value !== "" ? meant(value, field.type) : undefined;
  return bare === undefined ? "" : ` (did you mean ${bare}, without quotes?)`;
}

/** A boolean that was written in other words, or as a number. */
function meant(value: string, type?: string): number | boolean | undefined {
  if (type === "boolean" && /^(true|yes|on|enabled?)$/i.test(value)) return true;
  if (type === "boolean" && /^(false|no|off|disabled?)$/i.test(value)) return false;
  if (value === "true" || value === "false") return value === "true";
  return Number.isFinite(Number(value)) ? Number(value) : undefined;
}

/** Calico's selectors are strings, the selectors of Kubernetes are objects. */
function selectorHint({ path }: InputPlace, value: Record<string, unknown>): string {
  if (!/selector$/i.test(path)) return "";
  const labels = Object.entries(isObject(value.matchLabels) ? value.matchLabels : value);
  const isPlain = labels.length > 0 && labels.every(([, of]) => typeof of === "string" && !/['"]/.test(of));
  const written = isPlain ? labels.map(([label, of]) => `${label} == '${of}'`).join(" && ") : undefined;
  return written ? ` (did you mean "${written}"?)` : ` like "app == 'db'"`;
}
