// Checks the programs in other languages against the schema from which their SDKs are generated.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as components from "../../components/index.ts";
import { recordResources } from "../../components/testing/program.ts";

const checkout = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(checkout, path), "utf8");

interface Property {
  type?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
}
interface Shape {
  properties?: Record<string, Property>;
  required?: string[];
  enum?: { name?: string; value: unknown }[];
}
interface Resource {
  inputProperties: Record<string, Property>;
  requiredInputs?: string[];
}
const schema = JSON.parse(read("components/golden/schema.json")) as {
  resources: Record<string, Resource>;
  types: Record<string, Shape>;
};
const TYPES = "#/types/";

/** The problems of a value, by its path. */
function wrongs(value: unknown, property: Property, path: string): string[] {
  if (typeof value === "string" && value.startsWith("${")) return [];
  if (property.$ref === "pulumi.json#/Any") return [];
  if (property.$ref?.startsWith(TYPES)) return wrongShape(value, schema.types[property.$ref.slice(TYPES.length)], path);
  if (property.items) {
    if (!Array.isArray(value)) return [`${path} is not a list`];
    return value.flatMap((item, index) => wrongs(item, property.items as Property, `${path}[${index}]`));
  }
  if (property.additionalProperties) {
    return Object.entries(value as object).flatMap(([key, item]) =>
      wrongs(item, property.additionalProperties as Property, `${path}.${key}`),
    );
  }
  const kind = property.type === "integer" ? "number" : property.type;
  return typeof value === kind ? [] : [`${path} is ${JSON.stringify(value)}, not a ${property.type}`];
}

function wrongShape(value: unknown, shape: Shape | undefined, path: string): string[] {
  if (!shape) return [`${path} has a type that the schema does not have`];
  if (shape.enum) return shape.enum.some((member) => member.value === value) ? [] : [`${path} is not one of the enum`];
  return wrongFields(value as object, shape.properties ?? {}, shape.required ?? [], path);
}

function wrongFields(fields: object, known: Record<string, Property>, required: string[], path: string): string[] {
  const missing = required.filter((name) => !(name in fields)).map((name) => `${path}.${name} is missing`);
  const wrong = Object.entries(fields).flatMap(([name, value]) =>
    known[name] ? wrongs(value, known[name], `${path}.${name}`) : [`${path}.${name} is not known`],
  );
  return [...missing, ...wrong];
}

interface YamlResource {
  type: string;
  properties: object;
}

function wrongResources(program: { resources: Record<string, YamlResource> }): string[] {
  return Object.entries(program.resources)
    .filter(([, { type }]) => type.startsWith("ebpf-dataplane:"))
    .flatMap(([name, { type, properties }]) => {
      const resource = schema.resources[type];
      if (!resource) return [`${name} has the unknown type ${type}`];
      return wrongFields(properties, resource.inputProperties, resource.requiredInputs ?? [], name);
    });
}

test("the YAML example fits the schema", () => {
  const program = parse(read("examples/yaml/Pulumi.yaml"));
  expect(wrongResources(program)).toEqual([]);
  // Counter-check: these errors are found.
  program.resources.dataplane.properties = { apiServer: { host: 1 }, returnMode: "direct", colour: "red" };
  expect(wrongResources(program)).toEqual([
    "dataplane.apiServer.port is missing",
    "dataplane.apiServer.host is 1, not a string",
    "dataplane.returnMode is not one of the enum",
    "dataplane.colour is not known",
  ]);
});

test("the policies among the examples fit the schema, and their components accept them", async () => {
  const program = parse(read("examples/policies/Pulumi.yaml"));
  expect(wrongResources(program)).toEqual([]);
  await recordResources();
  const declared = Object.entries(program.resources as Record<string, YamlResource>).filter(([, { type }]) =>
    type.startsWith("ebpf-dataplane:"),
  );
  expect(declared).toHaveLength(6);
  const classes = new Map<string, unknown>(Object.entries(components));
  for (const [name, { type, properties }] of declared) {
    const Component = classes.get(type.split(":").at(-1) ?? "") as typeof components.Tier;
    expect(() => new Component(name, properties as never)).not.toThrow();
  }
});

/** Prints the package's classes that a Python program calls, with the names of the arguments. */
const CALLS = `
import ast, json, sys
print(json.dumps([[call.func.attr, [k.arg for k in call.keywords]] for call in ast.walk(ast.parse(sys.stdin.read()))
  if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "ebpf"]))
`;

test("the Python example calls the classes of the SDK with arguments that they have", ({ skip }) => {
  const input = read("examples/python/__main__.py");
  const python = spawnSync("python3", ["-c", CALLS], { input, encoding: "utf8", timeout: 280_000 });
  if (python.error) return skip("python3 is not installed on this computer");
  expect(python.stderr).toBe("");
  const calls = JSON.parse(python.stdout) as [string, string[]][];
  expect(calls.length).toBeGreaterThan(4);
  for (const [name, used] of calls) {
    const resource = schema.resources[`ebpf-dataplane:index:${name}`];
    const known =
      resource?.inputProperties ?? schema.types[`ebpf-dataplane:index:${name.replace(/Args$/, "")}`]?.properties;
    const snake = (word: string) => word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    // Python keywords get an underscore appended.
    const allowed = Object.keys(known ?? {})
      .map((word) => (word === "from" ? "from_" : snake(word)))
      .concat("opts");
    expect({ name, unknown: used.filter((word) => !allowed.includes(word)) }).toEqual({ name, unknown: [] });
  }
});
