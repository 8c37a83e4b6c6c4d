// Writes the JSON Schemas of users' and deployments' documents to docs/schemas: `node verify/schemas.ts`.
import { writeFileSync } from "node:fs";
import { checkSchema } from "../components/documents/check.ts";
import { verificationSchema } from "../components/documents/verification.ts";
import { publish } from "../report/results/publish.ts";
import { clusterStatusSchema } from "./status/cluster-status.ts";

/** Path and content of each published JSON Schema of this part. Defaults may be left out. */
export function publishedSchemas(): { path: string; content: string }[] {
  return [
    publish("check.schema.json", "Check file", checkSchema, "input"),
    publish("status.schema.json", "Status of a cluster's dataplane", clusterStatusSchema, "output"),
    publish("verification-input.schema.json", "Verification", verificationSchema, "input"),
  ];
}

if (import.meta.main) for (const { path, content } of publishedSchemas()) writeFileSync(path, content);
