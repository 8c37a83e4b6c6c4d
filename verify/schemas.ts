// Writes the published forms of the check file and of the result to docs/schemas: `node verify/schemas.ts`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { checkSchema } from "../components/documents/check.ts";
import { verificationSchema } from "../components/documents/verification.ts";
import { reportSchema } from "../report/document.ts";
import { compareSchema } from "../report/results/compare.ts";
import { scaleSchema } from "../report/results/scale.ts";
import { throughputSchema } from "../report/results/throughput.ts";
import { resultSchema } from "../report/results/verification.ts";

const folder = join(import.meta.dirname, "..", "docs", "schemas");

/** Path and content of each published JSON Schema (draft 2020-12) of this part. */
export function publishedSchemas(): { path: string; content: string }[] {
  return [
    // What users write: defaults may be left out.
    publish("check.schema.json", "Check file", checkSchema, "input"),
    publish("verification-input.schema.json", "Verification", verificationSchema, "input"),
    publish("verification.schema.json", "Verification result", resultSchema, "output"),
    publish("report.schema.json", "Report", reportSchema, "output"),
    publish("compare.schema.json", "Comparison of service handling", compareSchema, "output"),
    publish("throughput.schema.json", "Throughput between pods", throughputSchema, "output"),
    publish("scale.schema.json", "Cost against the number of services", scaleSchema, "output"),
  ];
}

/** Path and content of one published schema. */
export function publish(file: string, title: string, schema: z.ZodType, io: "input" | "output") {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-2020-12", io });
  return { path: join(folder, file), content: `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n` };
}

if (import.meta.main) for (const { path, content } of publishedSchemas()) writeFileSync(path, content);
