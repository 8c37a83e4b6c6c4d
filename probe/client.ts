import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { type AttemptResult, batchSchema, type Probe, READY } from "./batch.ts";
import { fanOut, prepareIn } from "./fan-out.ts";

/** Options for the whole batch. */
export interface ProbeOptions {
  /** Path of a network namespace. */
  netns?: string;
  /** Report when everything is ready to send, and send at the next line of input. */
  wait?: boolean;
}

/**
 * Reads one batch (a JSON array on one line, or until the end of input) and prints one JSON line per attempt.
 * The line ends the batch, because a Kubernetes exec stream cannot always be half-closed.
 */
export async function runProbe(options: ProbeOptions, input: Readable, output: Writable): Promise<void> {
  const lines = createInterface(input)[Symbol.asyncIterator]();
  const probes = parseBatch(await firstDocument(lines));
  const emit = (result: AttemptResult): void => {
    output.write(`${JSON.stringify(result)}\n`);
  };
  const { netns } = options;
  const prepared = await (netns ? prepareIn(netns, probes, emit) : fanOut(probes, emit));
  if (options.wait) {
    output.write(`${READY}\n`);
    // The caller is gone: there is no reader for the results.
    if ((await lines.next()).done) return;
  }
  await prepared.send();
}

/** Rejects with one line per wrong field. */
export function parseBatch(text: string): Probe[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`probe: the batch is not valid JSON: ${(error as Error).message}`);
  }
  const parsed = batchSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Error(`probe: the batch is not valid:\n${z.prettifyError(parsed.error)}`);
}

async function firstDocument(lines: AsyncIterator<string>): Promise<string> {
  let text = "";
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    text += `${next.value}\n`;
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
