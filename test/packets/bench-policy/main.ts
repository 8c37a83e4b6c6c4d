// `make bench-policy`: what policies cost a packet, a change and memory, beside nftables rules of the same policies, in one run.
// --rounds COUNT, --quick, --keep, --json; --trial: as little as possible, nothing is written.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GIVING_BACK_MS } from "../../../agent/process/heap.ts";
import { HEAP_MEBIBYTES, heapOptions } from "../../../components/dataplane/heap.ts";
import { observeEnvironment } from "../../../measure/environment.ts";
import { writeResult } from "../../../measure/result-file.ts";
import { run } from "../../../tools/command.ts";
import { ask, EVERY_CPU, spawnInside, startInside } from "../inside.ts";
import { preparedObjects } from "../objects.ts";
import { countIdentities } from "./identities.ts";
import { type Batch, type Changes, flows, type Side } from "./measured.ts";
import { type Measured, type PolicyCosts, summarize, tablesOf } from "./summary.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    quick: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    trial: { type: "boolean", default: false },
  },
});
const plan = values.trial
  ? { counts: [20], rounds: 1, pods: 400, policies: 100, changes: 2, settleMs: 0 }
  : {
      counts: values.quick ? [1, 1000] : [1, 100, 1000, 10_000],
      rounds: values.quick ? 5 : Number(values.rounds),
      pods: 10_000,
      policies: 1000,
      changes: values.quick ? 50 : 200,
      settleMs: GIVING_BACK_MS + 1000,
    };

const here = (program: string) => join(import.meta.dirname, program);
const note = (text: string) => values.json || process.stderr.write(`bench: ${text}\n`);
const scratch = mkdtempSync(join(tmpdir(), "bench-policy-"));
try {
  const environment = await observeEnvironment(`make bench-policy${values.quick ? " QUICK=1" : ""}`);
  const { objects, preamble } = await preparedObjects(scratch);
  const send = join(scratch, "send");
  await run("clang", ["-O2", "-o", send, here("send.c")]);
  const measured = await packets([objects, preamble, send]);
  note(`${plan.changes} changes of one policy among ${plan.policies}, with ${plan.pods} pods`);
  const changes = await changed(objects);
  const result: PolicyCosts = {
    environment: environment(),
    ...plan,
    ...summarize(measured, changes),
    identities: countIdentities(),
  };
  const files = values.trial ? [] : writeResult("policy", result, values.keep);
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : `${tablesOf(result)}\n`);
  for (const file of files) note(`written: ${file}`);
} finally {
  rmSync(scratch, { recursive: true });
}

/** Every dataplane with every number of policies, in turn in every round. */
async function packets(args: readonly string[]): Promise<Measured[]> {
  const children: { side: Side; count: number; child: ChildProcess }[] = [];
  for (const side of ["floor", "ebpf", "nftables"] as const) {
    for (const count of side === "floor" ? [0] : plan.counts) {
      note(`${side} with ${count} policies`);
      children.push({ side, count, child: await startInside([here("path.ts"), side, String(count), ...args]) });
    }
  }
  const measured: Measured[] = [];
  try {
    for (let round = 0; round < plan.rounds; round++) {
      for (const { side, count, child } of round % 2 === 0 ? children : children.toReversed()) {
        for (const flow of flows) measured.push({ side, count, flow, round, ...((await ask(child, flow)) as Batch) });
      }
      note(`round ${round + 1} of ${plan.rounds}`);
    }
  } finally {
    for (const { child } of children) child.disconnect();
  }
  return measured;
}

async function changed(objects: string): Promise<Changes> {
  const { pods, policies, changes, settleMs } = plan;
  const args = [...[pods, policies, changes].map(String), objects, String(settleMs)];
  // With an agent's heap, whose collector works in threads beside the one that compiles.
  const node = [...heapOptions(HEAP_MEBIBYTES), "--expose-gc", here("changes.ts"), ...args];
  const child = spawnInside(node, ["ignore", "pipe", "inherit"], {}, EVERY_CPU);
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk) => chunks.push(chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`The changes could not be measured: the process ended with ${code}.`);
  return JSON.parse(Buffer.concat(chunks).toString());
}
