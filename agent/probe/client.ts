import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { type AttemptResult, batchSchema, type Probe } from "./batch.ts";
import { fanOut, runIn } from "./fan-out.ts";
import { namespaceOf } from "./namespaces.ts";

/** Where the whole batch leaves from when its probes do not say. */
export interface ProbeOptions {
  /** Path of a network namespace. */
  netns?: string;
  /** `<namespace>/<pod>` on this node. */
  pod?: string;
}

/**
 * Reads one batch (a JSON array on one line, or until the end of input) and prints one JSON line per attempt.
 * The line ends the batch, because a Kubernetes exec stream cannot always be half-closed.
 */
export async function runProbe(options: ProbeOptions, input: Readable, output: Writable): Promise<void> {
  const probes = parseBatch(await firstDocument(input));
  const emit = (result: AttemptResult): void => {
    output.write(`${JSON.stringify(result)}\n`);
  };
  const netns = options.netns ?? (options.pod && namespaceOf(options.pod));
  await (netns ? runIn(netns, probes, emit) : fanOut(probes, emit));
}

/** Rejects with one line per wrong field. */
function parseBatch(text: string): Probe[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`probe: the batch is not JSON: ${(error as Error).message}`);
  }
  const parsed = batchSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Error(`probe: the batch is not valid:\n${z.prettifyError(parsed.error)}`);
}

async function firstDocument(input: Readable): Promise<string> {
  let text = "";
  for await (const line of createInterface(input)) {
    text += `${line}\n`;
    if (isJson(text)) return text;
  }
  return text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
