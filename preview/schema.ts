// Writes the published schema of `preview --json` to docs/schemas: `node preview/schema.ts`.
import { writeFileSync } from "node:fs";
import { publish } from "../report/results/publish.ts";
import { previewSchema } from "./document.ts";

export const publishedSchema = () => publish("preview.schema.json", "Preview", previewSchema, "output");

if (import.meta.main) writeFileSync(publishedSchema().path, publishedSchema().content);
