import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kindNames } from "../../model/objects/kinds.ts";
import { ANNOTATIONS } from "../../model/objects/metadata.ts";
import { kinds } from "./kinds.ts";

const text = readFileSync(join(import.meta.dirname, "../../docs/fields.md"), "utf8");

interface Schema {
  readonly _zod: {
    readonly def: {
      readonly type: string;
      readonly shape?: Readonly<Record<string, Schema>>;
      readonly element?: Schema;
      readonly innerType?: Schema;
      readonly in?: Schema;
    };
  };
}

/** The names of a schema's leaves. */
function leaves({ _zod: { def } }: Schema, name = ""): string[] {
  if (def.shape) return Object.entries(def.shape).flatMap(([key, inner]) => leaves(inner, key));
  const inner = def.element ?? def.innerType ?? def.in;
  return inner ? leaves(inner, name) : [name];
}

test.each(kindNames)("docs/fields.md lists every field of %s that is read", (name) => {
  const { spec, status, ...top } = (kinds[name].schema as unknown as Schema)._zod.def.shape ?? {};
  const { metadata: _, ...others } = top;
  const read = [spec, status, ...Object.values(others)].flatMap((part) => (part ? leaves(part) : []));
  const named = Object.keys(others).concat(read.filter(Boolean));
  const missing = [...new Set(named)].filter((field) => !new RegExp(`[\`.]${field}[\`.[]`).test(text));
  expect(missing).toEqual([]);
});

test.each([...ANNOTATIONS].filter((name) => name !== "kubernetes.io/config.hash"))("and the annotation %s", (name) => {
  expect(text).toContain(`\`${name}\``);
});
