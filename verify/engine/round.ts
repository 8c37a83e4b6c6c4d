import type { Expectation } from "../../components/documents/check.ts";
import type { AttemptResult, Probe } from "../../probe/batch.ts";
import type { Actor, Prepared } from "../actors/actor.ts";
import { type Assessment, assess } from "./assess.ts";
import { idleServers } from "./idle-servers.ts";
import { KeptProbers } from "./kept-sockets.ts";
import { type Plan, type Prober, planExpectation } from "./plan.ts";
import { startCaptures, stopCaptures } from "./reply-path.ts";
import { readServerLogs } from "./server-log.ts";
import type { World } from "./world.ts";

/**
 * Tries every expectation once: one batch per machine and per node, all at the same time, once all are ready.
 * @param kept probers of kept sockets
 */
export async function runRound(
  world: World,
  expectations: Expectation[],
  newToken: () => string,
  kept = new KeptProbers(world),
): Promise<Assessment[]> {
  const started = world.clock.now();
  const view = await world.view();
  const plans = expectations.map((expectation) => planExpectation(view, expectation, newToken));
  const captures = await startCaptures(world, plans);
  const results = await probeAll(world, plans, kept);
  const replies = await stopCaptures(captures);
  const asked = plans.flatMap((plan) => ofPlan(plan, results).map((result) => ({ plan, result })));
  const idle = await idleServers(world, view, asked, started);
  const logs = await readServerLogs(world, view, asked, started);
  return plans.map((plan) =>
    assess({ view, machines: world.machines, plan, results: ofPlan(plan, results), logs, replies, idle }),
  );
}

function ofPlan(plan: Plan, results: Map<string, AttemptResult[]>): AttemptResult[] {
  return plan.probes.flatMap(({ probe }) => results.get(probe.id) ?? []);
}

async function probeAll(world: World, plans: Plan[], kept: KeptProbers): Promise<Map<string, AttemptResult[]>> {
  const batches = new Map<string, { prober: Prober; batch: Probe[]; isKept: boolean }>();
  for (const plan of plans) {
    if (plan.notYet || plan.lost) continue;
    for (const { prober, probe } of plan.probes) {
      const isKept = probe.keep !== undefined;
      const key = `${prober.kind}/${prober.name}/${isKept}`;
      const entry = batches.get(key) ?? { prober, batch: [], isKept };
      entry.batch.push(probe);
      batches.set(key, entry);
    }
  }
  const prepared = await Promise.all(
    [...batches.values()].map(({ prober, batch, isKept }) =>
      prepareFrom(isKept ? kept.prepare(prober, batch) : actorOf(world, prober).prepare(batch), batch),
    ),
  );
  const all = await Promise.all(prepared.map(({ send }) => send()));
  const byProbe = new Map<string, AttemptResult[]>();
  for (const result of all.flat()) byProbe.set(result.id, [...(byProbe.get(result.id) ?? []), result]);
  return byProbe;
}

function actorOf(world: World, prober: Prober): Actor {
  return prober.kind === "machine" ? world.machine(prober.name) : world.node(prober.name);
}

/** If an actor cannot be reached or is lost, each of its probes reports that. */
async function prepareFrom(preparing: Promise<Prepared>, batch: Probe[]): Promise<Prepared> {
  const failed = (error: unknown): AttemptResult[] =>
    batch.map(({ id }) => ({ id, attempt: 1, verdict: "none", error: (error as Error).message, cause: "lost" }));
  try {
    const prepared = await preparing;
    return { send: () => prepared.send().catch(failed) };
  } catch (error) {
    return { send: async () => failed(error) };
  }
}
