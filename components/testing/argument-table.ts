interface Property {
  type?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
  optional?: boolean;
  plain?: boolean;
}

/** What of the schema of a package says which arguments there are. */
export interface PackageSchema {
  resources: Record<string, { inputProperties: Record<string, Property> }>;
  types: Record<string, { properties?: Record<string, Property>; enum?: { value: string }[] }>;
}

const ANY = "pulumi.json#/Any";

/** The text of arguments/arguments.gen.ts: the table that components check arguments with, made from the schema for other languages. */
export function argumentTable({ resources, types }: PackageSchema): string {
  const lines: string[] = [];
  const written = new Set<string>();
  const choices = new Set<string>();
  const write = (name: string, properties: Record<string, Property>) => {
    const fields = Object.entries(properties).map(
      ([key, property]) => `    ${key}: ${inTypeScript(fieldOf(property))},`,
    );
    lines.push(`  ${name}: {`, ...fields, "  },");
    for (const property of Object.values(properties)) follow(property);
  };
  // Types that only outputs have are not followed.
  const follow = ({ $ref, items, additionalProperties }: Property) => {
    for (const below of [items, additionalProperties]) if (below) follow(below);
    const type = $ref && types[$ref.replace("#/types/", "")];
    if (!$ref || !type) return;
    const name = nameOf($ref);
    if (type.enum) choices.add(`  ${name}: ${inTypeScript(type.enum.map(({ value }) => value))},`);
    if (type.enum || written.has(name)) return;
    written.add(name);
    write(name, type.properties ?? {});
  };
  const fieldOf = (property: Property): object => {
    const { type, $ref, items, additionalProperties, optional, plain } = property;
    const marks = { ...(optional && { optional }), ...(plain && { plain }) };
    if ($ref === ANY) return { type: "any", ...marks };
    if ($ref) return { [types[$ref.replace("#/types/", "")]?.enum ? "choice" : "object"]: nameOf($ref), ...marks };
    if (items) return { list: fieldOf(items), ...marks };
    if (additionalProperties) return { map: fieldOf(additionalProperties), ...marks };
    return { type, ...marks };
  };
  for (const [token, { inputProperties }] of Object.entries(resources)) write(nameOf(token), inputProperties);
  return [
    "// Written by components/index.schema.test.ts from golden/schema.json: npx vitest run --project unit components/index.schema.test.ts -u",
    "",
    "/** Arguments of each component, and fields of each type that is in them. */",
    "export const FIELDS = {",
    ...lines,
    "} as const;",
    "",
    "/** Values of each enum. */",
    "export const CHOICES = {",
    ...[...choices].sort(),
    "} as const;",
    "",
  ].join("\n");
}

/** "ebpf-dataplane:index:Machine", as a token or the end of a reference. */
function nameOf(token: string): string {
  return token.split(":").at(-1) ?? token;
}

function inTypeScript(value: object): string {
  return JSON.stringify(value)
    .replaceAll(/"(\w+)":/g, "$1: ")
    .replaceAll(",", ", ")
    .replaceAll("{", "{ ")
    .replaceAll("}", " }");
}
