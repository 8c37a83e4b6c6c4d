import type { AttemptResult } from "../../probe/batch.ts";
import type { CapturedPacket } from "../../probe/capture.ts";
import type { Capture } from "../actors/actor.ts";
import type { Plan } from "./plan.ts";
import type { World } from "./world.ts";

/** Packets of replies that each entry node saw, by node name. */
export type Replies = Map<string, CapturedPacket[]>;

/** One capture per entry node for the whole round, listening before the first probe leaves. */
export async function startCaptures(world: World, plans: Plan[]): Promise<Map<string, Capture>> {
  const byNode = new Map<string, { plan: Plan; filters: Set<string> }>();
  for (const plan of plans) {
    if (!plan.entry) continue;
    const { filters } = byNode.get(plan.entry.node) ?? { filters: new Set<string>() };
    filters.add(
      `(${plan.destination.protocol} and src host ${plan.entry.address} and src port ${plan.destination.port})`,
    );
    byNode.set(plan.entry.node, { plan, filters });
  }
  const captures = new Map<string, Capture>();
  for (const [node, { plan, filters }] of byNode) {
    if (!plan.entry) continue;
    try {
      captures.set(node, await world.node(node).capture([...filters].join(" or ")));
    } catch (error) {
      // Without a capture on this node, its replies are not known in this round.
      for (const each of plans) if (each.entry?.node === node) each.lost = (error as Error).message;
    }
  }
  return captures;
}

export async function stopCaptures(captures: Map<string, Capture>): Promise<Replies> {
  const replies: Replies = new Map();
  for (const [node, capture] of captures) replies.set(node, await capture.stop());
  return replies;
}

/** How many packets of an attempt's reply left its entry node. */
export function repliesThroughEntry(replies: Replies, plan: Plan, result: AttemptResult): number {
  const { entry, destination } = plan;
  if (!entry) return 0;
  return (replies.get(entry.node) ?? []).filter(
    ({ direction, source, sourcePort, destination: to, destinationPort }) =>
      direction === "out" &&
      source === entry.address &&
      sourcePort === destination.port &&
      to === result.localAddress &&
      destinationPort === result.localPort,
  ).length;
}
