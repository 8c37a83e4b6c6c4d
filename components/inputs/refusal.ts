import * as pulumi from "@pulumi/pulumi";

/** Where an input is: the component as its user named it, and the path of the argument. */
export interface InputPlace {
  component: string;
  path: string;
}

/** The place of a component's arguments, e.g. `Dataplane "dataplane"`. */
export function argumentsOf(className: string, name: string): InputPlace {
  return { component: `${className} "${name}"`, path: "" };
}

/** The place of a field or list item below `place`. */
export function at(place: InputPlace, key: string | number): InputPlace {
  const path = typeof key === "number" ? `${place.path}[${key}]` : place.path === "" ? key : `${place.path}.${key}`;
  return { ...place, path };
}

/** Ends the deployment with a message for the author of the program; a RunError is shown without a stack trace. */
export function refuse(place: InputPlace, received: unknown, allowed: string): never {
  throw new pulumi.RunError(
    `${place.component}: ${place.path} is ${JSON.stringify(received)}, but must be ${allowed}.`,
  );
}

/** Ends the deployment for a reason that no single field is. */
export function refuseBecause(place: InputPlace, sentence: string): never {
  throw new pulumi.RunError(`${place.component}: ${sentence}.`);
}

/** Checks a value now when the program has it, or as soon as the resource it comes from exists. */
export function checked(value: pulumi.Input<string>, check: (value: string) => string): pulumi.Input<string> {
  return typeof value === "string" ? check(value) : pulumi.output(value).apply(check);
}
