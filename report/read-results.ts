import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { type Measurement, measurements } from "./document.ts";
import type { ReportInputs } from "./inputs.ts";
import { compareSchema } from "./results/compare.ts";
import { scaleSchema } from "./results/scale.ts";
import { throughputSchema } from "./results/throughput.ts";
import { resultSchema } from "./results/verification.ts";

const schemas: Record<Measurement, z.ZodType> = {
  verification: resultSchema,
  compare: compareSchema,
  throughput: throughputSchema,
  scale: scaleSchema,
};

/** The results in a folder, and a sentence for each unusable or missing file. */
export interface Found {
  inputs: Omit<ReportInputs, "writtenAt">;
  found: Measurement[];
  sentences: string[];
}

export function readResults(folder: string): Found {
  const results: Partial<Record<Measurement, unknown>> = {};
  const unreadable: Partial<Record<Measurement, string>> = {};
  const sentences: string[] = [];
  for (const of of measurements) {
    const path = join(folder, `${of}.json`);
    if (!existsSync(path)) {
      sentences.push(`${path} does not exist: the report shows this as not measured.`);
      continue;
    }
    try {
      results[of] = readOne(path, schemas[of]);
    } catch (error) {
      const reason = `${path} cannot be used: ${(error as Error).message}`;
      unreadable[of] = reason;
      sentences.push(`${reason}; the report omits it.`);
    }
  }
  const found = measurements.filter((of) => results[of] !== undefined);
  // Each was read by the schema of its own name.
  return { inputs: { ...(results as Omit<ReportInputs, "writtenAt">), unreadable }, found, sentences };
}

function readOne(path: string, schema: z.ZodType): unknown {
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") || "the document";
  throw new Error(`${place}: ${issue?.message ?? "not of the form in docs/schemas"}`);
}
