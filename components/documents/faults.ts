import type { z } from "zod";
import { issueWords } from "./issue-words.ts";

/** One error in a document. */
export interface Fault {
  /** Path of the field; empty: the document itself. */
  path: (string | number)[];
  received: unknown;
  /** The expected value, where the schema describes it. */
  allowed?: string;
  message: string;
}

const MUST_BE = "must be ";

/** The errors that a schema finds in a document, in its order; empty if there are none. */
export function faultsOf(schema: z.ZodType, document: unknown): Fault[] {
  const issues = schema.safeParse(document, { error: issueWords }).error?.issues ?? [];
  return issues.map(({ path, message }) => {
    const received = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], document);
    const allowed = message.startsWith(MUST_BE) ? message.slice(MUST_BE.length) : undefined;
    return { path: path as (string | number)[], received, ...(allowed !== undefined && { allowed }), message };
  });
}

/** An error as programs show it: `machines[1].address is "10.0.0.1", but must be …`. */
export function inWords({ path, received, allowed, message }: Fault): string {
  const field = path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
    .join("")
    .replace(/^\./, "");
  const where = field || "the document";
  return allowed === undefined
    ? `${where}: ${message}`
    : `${where} is ${received === undefined ? "missing" : JSON.stringify(received)}, but must be ${allowed}`;
}
