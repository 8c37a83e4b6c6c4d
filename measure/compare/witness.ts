import { randomBytes } from "node:crypto";
import { expectationOf } from "../../components/documents/check.ts";
import type { AttemptResult } from "../../probe/batch.ts";
import { sendNow } from "../../verify/actors/actor.ts";
import { type Plan, planExpectation } from "../../verify/engine/plan.ts";
import { type Replies, repliesThroughEntry, startCaptures, stopCaptures } from "../../verify/engine/reply-path.ts";
import { readServerLogs } from "../../verify/engine/server-log.ts";
import type { World } from "../../verify/engine/world.ts";

/** Observations of one round of probes from every client. */
export interface Sighting {
  /** By client: whether it got an answer. */
  served: Record<string, boolean>;
  /** Distinct sources in the server's own log, in the order of the clients. */
  loggedSources: string[];
  /** A line of the log for each. */
  loggedLines: string[];
  /** By capture on the entry node; absent if no client was served or no node owns the address. */
  replyPath?: "direct" | "viaEntryNode";
}

/** Attempts of each client, to detect occasional successes and failures. */
const attempts = 2;

/**
 * Probes from every client, and observes the served clients, the server's log and the path of replies, independent
 * of the dataplane's own reports.
 * @param throughNode whether the destination belongs to a node, so that a capture there shows the path of replies
 */
export async function witness(world: World, clients: string[], to: string, throughNode: boolean): Promise<Sighting> {
  const started = world.clock.now();
  const view = await world.view();
  const nextToken = tokens();
  const plans = clients.map((from) =>
    planExpectation(
      view,
      expectationOf({
        from,
        to,
        verdict: "allowed",
        source: from,
        count: attempts,
        ...(throughNode && { reply: "direct" as const }),
      }),
      nextToken,
    ),
  );
  const captures = await startCaptures(world, plans);
  let replies: Replies = new Map();
  const results = await Promise.all(plans.map((plan) => sendProbes(world, plan))).finally(async () => {
    replies = await stopCaptures(captures);
  });
  const asked = plans.flatMap((plan, index) => (results[index] ?? []).map((result) => ({ plan, result })));
  const { lines } = await readServerLogs(world, view, asked, started);
  // The log also has lines of probes before, and of those over the other address family.
  const logs = asked.flatMap(({ result }) => lines.get(`${result.id}.${result.attempt}`) ?? []);
  const answered = asked.filter(({ result }) => result.verdict === "allowed");
  const throughEntry = answered.filter(({ plan, result }) => repliesThroughEntry(replies, plan, result) > 0).length;
  const sources = [...new Set(logs.flatMap(({ source }) => source ?? []))];
  const witnessed = throughNode && answered.length > 0 && plans.every(({ notYet, lost }) => !notYet && !lost);
  return {
    served: Object.fromEntries(
      clients.map((client, index) => [
        client,
        (results[index] ?? []).length > 0 && (results[index] ?? []).every(({ verdict }) => verdict === "allowed"),
      ]),
    ),
    loggedSources: sources,
    loggedLines: sources.map((source) => logs.find((log) => log.source === source)?.line ?? ""),
    ...(witnessed && { replyPath: throughEntry > 0 ? ("viaEntryNode" as const) : ("direct" as const) }),
  };
}

async function sendProbes(world: World, plan: Plan): Promise<AttemptResult[]> {
  const why = plan.notYet ?? plan.lost;
  if (why) throw new Error(why);
  const all = plan.probes.map(({ prober, probe }) => sendNow(world.machine(prober.name), [probe]));
  return (await Promise.all(all)).flat();
}

function tokens(): () => string {
  const run = randomBytes(5).toString("hex");
  let next = 0;
  return () => `${run}-${(next++).toString(16)}`;
}

/** Repeats until the observation is as expected, or until the timeout. @returns the last observation */
export async function witnessUntil<Seen>(
  look: () => Promise<Seen>,
  holds: (seen: Seen) => boolean,
  world: World,
  patienceMs: number,
): Promise<Seen> {
  const giveUp = world.clock.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (holds(seen) || world.clock.now() >= giveUp || world.stopping.aborted) return seen;
  }
}
