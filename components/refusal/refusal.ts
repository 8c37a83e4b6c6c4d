import * as pulumi from "@pulumi/pulumi";

/** Where an input is: the component as its user named it, and the path of the argument. */
export interface InputPlace {
  component: string;
  path: string;
  /** Its stack leads to where the program declares the component: a value that is known later is refused far from there. */
  declared?: Error;
}

/** The place of a component's arguments, e.g. `Dataplane "dataplane"`. */
export function argumentsOf(className: string, name: string): InputPlace {
  return { component: `${className} "${name}"`, path: "", declared: new Error() };
}

/** The place of a field or list item below `place`. */
export function at(place: InputPlace, key: string | number): InputPlace {
  const path = typeof key === "number" ? `${place.path}[${key}]` : place.path === "" ? key : `${place.path}.${key}`;
  return { ...place, path };
}

/** Ends the deployment with a message for the author of the program; a RunError is shown without a stack trace. */
export function refuse(place: InputPlace, received: unknown, allowed: string): never {
  const what = place.path === "" ? "the argument" : place.path;
  throw refusal(place, `${place.component}: ${what} is ${described(received)}, but must be ${allowed}.`);
}

/** Refuses a value that a rule does not allow; the rule says what it must be. @returns the value */
export function requireRule<Value>(place: InputPlace, value: Value, rule: (value: Value) => string | undefined): Value {
  const allowed = rule(value);
  return allowed === undefined ? value : refuse(place, value, allowed);
}

/** Ends the deployment for a reason that no single field is. */
export function refuseBecause(place: InputPlace, sentence: string): never {
  throw refusal(place, `${place.component}: ${place.path && `${place.path}: `}${sentence}.`);
}

function refusal({ declared }: InputPlace, message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  if (declared?.stack) error.stack = declared.stack.replace(/^Error/, () => `Error: ${message}`);
  return error;
}

/** Checks a value now when the program has it, or as soon as the resource it comes from exists. */
export function checked<Value>(value: pulumi.Input<Value>, check: (value: Value) => Value): pulumi.Input<Value> {
  if (pulumi.isUnknown(value)) return value;
  return isLater(value) ? (pulumi.output(value) as pulumi.Output<Value>).apply(check) : check(value as Value);
}

/** The field of an object with its value checked, or no field where it is not given. */
export function checkedField<Key extends string, Value>(
  place: InputPlace,
  key: Key,
  value: pulumi.Input<Value> | undefined,
  check: (place: InputPlace, value: Value) => Value,
): { [key in Key]?: pulumi.Input<Value> } {
  if (value === undefined) return {};
  return { [key]: checked(value, (known) => check(at(place, key), known)) } as { [key in Key]?: pulumi.Input<Value> };
}

/**
 * Checks a value beside others: now when the program has all of them with all that is in them, or as soon as all are known.
 * @returns the value; it is there once it was checked
 */
export function checkedBeside<Value, Other>(
  value: pulumi.Input<Value>,
  others: pulumi.Input<Other>[],
  check: (value: Value, others: Other[]) => Value,
): pulumi.Input<Value> {
  if ([value, ...others].some(holdsUnknown)) return value;
  if (![value, ...others].some(holdsLater)) return check(value as Value, others as Other[]);
  const all = pulumi.output([value, others]) as unknown as pulumi.Output<[Value, Other[]]>;
  return all.apply(([known, beside]) => check(known, beside));
}

/** Checks a list now when the program has all of it, or as soon as all of it is known. */
export function checkedList<Item>(
  place: InputPlace,
  list: pulumi.Input<pulumi.Input<Item>[]>,
  check: (place: InputPlace, list: Item[]) => Item[],
): pulumi.Input<pulumi.Input<Item>[]> {
  return checkedBeside<unknown, never>(list, [], (known) => check(place, known as Item[])) as pulumi.Input<Item[]>;
}

/** Whether anything in a value is what a preview hands to a component plugin in place of an output: nothing, at no time. */
function holdsUnknown(value: unknown): boolean {
  if (pulumi.isUnknown(value)) return true;
  if (typeof value !== "object" || value === null || isLater(value)) return false;
  return Object.values(value).some(holdsUnknown);
}

/** Whether anything in a value is known only later. */
function holdsLater(value: unknown): boolean {
  if (isLater(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsLater);
}

/** Whether a value is known only when something else exists: an output of a resource, or a promise. */
export function isLater(value: unknown): value is pulumi.Output<unknown> | Promise<unknown> {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}

/** Longest text of a value that is repeated in a message. */
const LONGEST = 120;

/** A value as a message shows it; never a long one, and never by a conversion that could fail. */
function described(value: unknown): string {
  if (pulumi.Output.isInstance(value)) return "an output of another resource";
  if (value instanceof Promise) return "a promise";
  if (pulumi.Resource.isInstance(value)) return "a resource";
  if (typeof value !== "object" || value === null) {
    return typeof value === "string"
      ? shortened(JSON.stringify(value))
      : typeof value === "function"
        ? "a function"
        : String(value);
  }
  const items = Object.values(value);
  const written = items.some((item) => typeof item === "object" || typeof item === "function")
    ? ""
    : JSON.stringify(value);
  if (written !== "" && written.length <= LONGEST) return written;
  return Array.isArray(value) ? "a list" : "an object";
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
