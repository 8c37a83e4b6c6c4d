// Runs batches of probes from the network namespace it is started in, until its input ends. One program for many batches, because
// starting one costs more than what it sends. Each line of input is a batch, `{"batch": 1, "probes": [...]}`; each line of
// output one attempt's result, or the batch's end. Batches run side by side.
import { createInterface } from "node:readline";
import type { AttemptResult, Probe } from "../../../probe/batch.ts";
import { runBatch } from "../../../probe/run-batch.ts";

export interface Batch {
  batch: number;
  probes: Probe[];
}

export type Heard = { batch: number } & ({ result: AttemptResult } | { end: true });

const print = (heard: Heard): void => void process.stdout.write(`${JSON.stringify(heard)}\n`);

for await (const line of createInterface(process.stdin)) {
  const { batch, probes } = JSON.parse(line) as Batch;
  void runBatch(probes, (result) => print({ batch, result })).then(() => print({ batch, end: true }));
}
