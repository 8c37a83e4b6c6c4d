// Writes the JSON Schemas of results to docs/schemas: `node report/schemas.ts`.
import { writeFileSync } from "node:fs";
import { flowLogLine } from "../model/flow/record.ts";
import { reportSchema } from "./document.ts";
import { compareSchema } from "./results/compare.ts";
import { publish } from "./results/publish.ts";
import { scaleSchema } from "./results/scale.ts";
import { throughputSchema } from "./results/throughput.ts";
import { resultSchema } from "./results/verification.ts";

/** Path and content of each published JSON Schema of this part. */
export function publishedSchemas(): { path: string; content: string }[] {
  return [
    publish("verification.schema.json", "Verification result", resultSchema, "output"),
    publish("flow-log.schema.json", "Line of the flow log", flowLogLine, "output"),
    publish("report.schema.json", "Report", reportSchema, "output"),
    publish("compare.schema.json", "Comparison of service handling", compareSchema, "output"),
    publish("throughput.schema.json", "Throughput between pods", throughputSchema, "output"),
    publish("scale.schema.json", "Cost against the number of services", scaleSchema, "output"),
  ];
}

if (import.meta.main) for (const { path, content } of publishedSchemas()) writeFileSync(path, content);
