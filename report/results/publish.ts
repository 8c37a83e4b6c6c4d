import { join } from "node:path";
import { z } from "zod";

const folder = join(import.meta.dirname, "..", "..", "docs", "schemas");

/** Path and content of one published JSON Schema (draft 2020-12). */
export function publish(file: string, title: string, schema: z.ZodType, io: "input" | "output") {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-2020-12", io });
  return { path: join(folder, file), content: `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n` };
}
