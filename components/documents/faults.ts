import type { z } from "zod";
import { issueWords } from "./issue-words.ts";

/** What is wrong with a document. */
export interface Fault {
  /** The way to the field; empty: the document itself. */
  path: (string | number)[];
  received: unknown;
  /** What must be there, where the schema says it so. */
  allowed?: string;
  message: string;
}

const MUST_BE = "must be ";

/** What a schema refuses of a document, in its order; nothing where it is right. */
export function faultsOf(schema: z.ZodType, document: unknown): Fault[] {
  const issues = schema.safeParse(document, { error: issueWords }).error?.issues ?? [];
  return issues.map(({ path, message }) => {
    const received = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], document);
    const allowed = message.startsWith(MUST_BE) ? message.slice(MUST_BE.length) : undefined;
    return { path: path as (string | number)[], received, ...(allowed !== undefined && { allowed }), message };
  });
}

/** A fault as a program's message shows it: `machines[1].address is "10.0.0.1", but must be …`. */
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
