import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { asText } from "../../../model/printable.ts";
import { NO_NAMES } from "../../compile/desired.ts";
import { NAMES_FILE } from "../../options.ts";
import type { NumberNames } from "./words.ts";

const pairs = z.array(z.tuple([z.number(), z.string()])).transform((entries) => new Map(entries));
const fileSchema = z.object({
  identities: pairs,
  policies: pairs,
  // Of an agent of an earlier version.
  rules: pairs.default(() => new Map()),
  logs: pairs.default(() => new Map()),
  defaults: pairs.default(() => new Map()),
});

/** The names that the agent wrote for its numbers; empty if it has not written any yet. */
export function readNames(runDirectory: string): NumberNames {
  const path = join(runDirectory, NAMES_FILE);
  if (!existsSync(path)) return NO_NAMES;
  return fileSchema.parse(asText(JSON.parse(readFileSync(path, "utf8"))));
}
