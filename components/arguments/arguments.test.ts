import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import * as components from "../index.ts";
import { recordResources } from "../testing/program.ts";
import { CHOICES, FIELDS } from "./arguments.gen.ts";

interface Field {
  type?: string;
  object?: string;
  choice?: string;
  list?: Field;
  map?: Field;
  plain?: boolean;
}
type Path = (string | number)[];
type Component = new (name: string, args: never) => pulumi.ComponentResource;

const classes = Object.entries(components).filter(
  (entry): entry is [string, Component & (typeof components)["Dataplane"]] =>
    typeof entry[1] === "function" && entry[1].prototype instanceof pulumi.ComponentResource,
);

/** Every argument and field of it, with something of the right type. */
function whole({ type, object, choice, list, map }: Field): unknown {
  if (choice) return (CHOICES as Record<string, readonly string[]>)[choice]?.[0];
  if (list) return [whole(list)];
  if (map) return { key: whole(map) };
  if (object) {
    const fields = Object.entries((FIELDS as Record<string, Record<string, Field>>)[object] ?? {});
    return Object.fromEntries(fields.map(([key, field]) => [key, whole(field)]));
  }
  return { string: "x", number: 1, boolean: true, any: 1 }[type ?? ""];
}

/** Every place in a value, the value itself first. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const inside = Object.entries(value).flatMap(([key, item]) =>
    placesIn(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...inside];
}

/** Components whose arguments hold those of others, which are tested on their own: below this depth nothing new stands. */
const HOLDS_OTHERS = new Set(["Dataplane", "ExistingCluster"]);
const DEEPEST = 4;
const NEEDS_NOTHING = new Set(["LocalCluster", "KubeControllersConfiguration", "BgpConfiguration"]);

const valueAt = (value: unknown, path: Path) => path.reduce((at, key) => (at as Record<string, unknown>)[key], value);

/** A copy with another value at a place. */
function withAt(value: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  (copy as Record<string, unknown>)[key] = withAt((value as Record<string, unknown>)[key], rest, other);
  return copy;
}

/** The message of a refusal; anything else that is thrown is a fault of ours. */
function refusal(name: string, args: unknown): string {
  const Class = classes.find(([of]) => of === name)?.[1] as unknown as new (name: string, args: unknown) => object;
  try {
    new Class("c", args);
  } catch (error) {
    if (error instanceof pulumi.RunError) return error.message;
    throw error;
  }
  throw new Error(`${name} accepted ${JSON.stringify(args)}`);
}

const written = (path: Path) => path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("");

test("every component of the package is here", () => {
  expect(classes.map(([name]) => name).sort()).toEqual(expect.arrayContaining(["Dataplane", "NetworkPolicy"]));
  expect(classes.length).toBe(25);
});

test.each(classes.map(([name]) => name))(
  "%s refuses a key it does not know, at every depth, by its path",
  async (name) => {
    await recordResources();
    const args = whole({ object: name, plain: true });
    for (const path of placesIn(args)) {
      const object = valueAt(args, path);
      if (typeof object !== "object" || object === null || Array.isArray(object) || "key" in object) continue;
      const [first] = Object.keys(object);
      const message = refusal(name, withAt(args, path, { ...object, [`${first}x`]: "x" }));
      const place = written(path).replace(/^\./, "");
      expect(message).toContain(
        `${name} "c": ${place === "" ? "" : `${place}: `}unknown key "${first}x"; did you mean "${first}"?`,
      );
    }
  },
);

const isEmpty = (other: unknown) => typeof other === "object" && other !== null && Object.keys(other).length === 0;

/** What Calico allows: controllers that nothing is said of, a set or a reservation without networks, and orders below 0. */
function isAllowed(name: string, path: Path, other: unknown): boolean {
  const networks = name.endsWith("NetworkSet") ? "nets" : name === "IpReservation" ? "reservedCIDRs" : undefined;
  if (path.join() === networks) return Array.isArray(other) && other.length === 0;
  if (name === "KubeControllersConfiguration" && isEmpty(other)) return path.at(-1) !== 0;
  return path.join() === "order" && other === -1;
}

test.each(classes.map(([name]) => name))(
  "%s refuses values of another kind in words, wherever they stand",
  async (name) => {
    await recordResources();
    const args = whole({ object: name, plain: true });
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const nothing = {};
    const others = [
      null,
      [],
      nothing,
      [null],
      Number.NaN,
      1n,
      Symbol("s"),
      () => 1,
      circle,
      pulumi.output,
      new Date(),
      "",
      -1,
      [[]],
    ];
    for (const path of placesIn(args)) {
      if (path.length > DEEPEST && HOLDS_OTHERS.has(name)) continue;
      for (const other of others) {
        if (NEEDS_NOTHING.has(name) && path.length === 0 && other === nothing) continue;
        if (isAllowed(name, path, other)) continue;
        expect(refusal(name, withAt(args, path, other))).toMatch(`${name} "c": `);
      }
    }
    if (!NEEDS_NOTHING.has(name)) expect(refusal(name, undefined)).toMatch(/must be an object with/);
    expect(refusal(name, "text")).toMatch(/must be an object with/);
  },
);

test("an output where the program must know the value is refused in words", async () => {
  await recordResources();
  const message = refusal("Dataplane", {
    apiServer: { host: "10.0.0.1", port: 6443 },
    allowVxlanPacketsFromWorkloads: pulumi.output(true),
  });
  expect(message).toBe(
    'Dataplane "c": allowVxlanPacketsFromWorkloads is an output of another resource, but must be true or false that the program knows before any resource exists (what is declared depends on it).',
  );
});

test("numbers and truth values as text are refused with what was meant", async () => {
  await recordResources();
  const apiServer = { host: "10.0.0.1", port: 6443 };
  expect(refusal("Dataplane", { apiServer: { ...apiServer, port: "6443" } })).toContain(
    'apiServer.port is "6443", but must be a number (did you mean 6443, without quotes?).',
  );
  expect(refusal("IpPool", { cidr: "10.244.0.0/16", natOutgoing: "false" })).toContain(
    "(did you mean false, without quotes?)",
  );
});
