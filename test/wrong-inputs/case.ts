// One wrong input, and a program that has it.
import { join } from "node:path";

export interface WrongInput {
  /** A component, "stack" with the name of one of this package's, or "project". */
  readonly of: string;
  readonly files: Readonly<Record<string, string>>;
  /** The object with the field, and what stands there. */
  readonly place: string;
  /** What is allowed there, or what is meant. */
  readonly allowed: string;
}

/** The arguments that are wrong, as values or as source text of the program; it has `pulumi`, and `later`, which nobody knows in a preview. */
export type Row = [args: object | string, place: string, allowed: string];

export const root = join(import.meta.dirname, "..", "..");

/** @param base arguments that are right, beside the wrong ones */
export function component(name: string, base: object, rows: readonly Row[]): WrongInput[] {
  return rows.map(([args, place, allowed]) => {
    const written =
      typeof args === "string"
        ? `{ ...${JSON.stringify(base)}, ...${args} }`
        : JSON.stringify({ ...base, ...(args as object) });
    const program = [
      `const { ${name} } = require(${JSON.stringify(join(root, "components", "index.ts"))});`,
      ...(typeof args === "string"
        ? [
            'const pulumi = require("@pulumi/pulumi");',
            'const later = new (require("@pulumi/command").local.Command)("later", { create: "true" }).stdout;',
          ]
        : []),
      `new ${name}("c", ${written});\n`,
    ].join("\n");
    const project = "name: app\nruntime: nodejs\nmain: index.js\n";
    const settings = JSON.stringify({ config: { "aws:region": "eu-central-1" } });
    const files = { "Pulumi.yaml": project, "Pulumi.dev.yaml": settings, "index.js": program };
    return { of: name, files, place: `${name} "c": ${place}`, allowed };
  });
}
