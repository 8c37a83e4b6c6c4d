import { randomBytes } from "node:crypto";
import type { ComparedMode } from "../../report/results/compare.ts";
import type { World } from "../../verify/engine/world.ts";
import type { MachineMeter } from "../counters/machine-counters.ts";
import type { ClientLoad } from "./client-load.ts";
import { modeFacts } from "./modes.ts";
import type { Target } from "./target.ts";

/** Connections per check; few, because each uses up a source port. */
const lookConnections = 5;
/** Packets in and out of the entry node's uplink per connection: about 10 when replies bypass it, 20 when they do not. */
const entryPacketsBetween = 15;
/** A container's log reaches the API server within a moment. */
const logPatienceMs = 2000;
const pauseMs = 100;

/** What the check of a mode needs. */
export interface Arrival {
  world: World;
  target: Target;
  /** The entry node's address. */
  entry: string;
  client: ClientLoad;
  entryMeter: MachineMeter;
}

/**
 * Waits until connections show the mode, twice in a row: the server's log has the source of the mode, and the entry node
 * handles as many packets as the mode's path needs. Then the mode is in force.
 * @throws Error with the last observation
 */
export async function untilModeShows(mode: ComparedMode, arrival: Arrival, patienceMs: number): Promise<void> {
  const { clock, stopping } = arrival.world;
  const giveUp = clock.now() + patienceMs;
  for (let inARow = 0; inARow < 2 && !stopping.aborted; ) {
    const wrong = await differenceFromMode(mode, arrival);
    inARow = wrong ? 0 : inARow + 1;
    if (wrong && clock.now() > giveUp)
      throw new Error(`${mode} is not in force after ${patienceMs / 1000} s: ${wrong}`);
    if (wrong) await clock.sleep(pauseMs);
  }
}

/** @returns what differs from the mode */
async function differenceFromMode(
  mode: ComparedMode,
  { world, target, entry, client, entryMeter }: Arrival,
): Promise<string | undefined> {
  const { source, reply } = modeFacts[mode];
  const token = randomBytes(6).toString("hex");
  const began = world.clock.now();
  const before = entryMeter.read().packets;
  const { nanoseconds, failures } = await client.connect(mode, lookConnections, { path: `/?${token}` });
  const packets = (entryMeter.read().packets - before) / lookConnections;
  if (nanoseconds.length < lookConnections)
    return `connections from ${target.client.name} fail: ${JSON.stringify(failures)}`;
  if (mode !== "Direct" && (packets > entryPacketsBetween ? "viaEntryNode" : "direct") !== reply)
    return `${target.entry.name} handles ${packets} packets per connection`;
  const wanted = source === "client" ? target.client.address : entry;
  const sources = await loggedSources(world, target, token, began);
  return sources.length === 1 && sources[0] === wanted
    ? undefined
    : `the server logs ${sources.join(", ") || "nothing"}, not ${wanted}`;
}

async function loggedSources(world: World, { pod }: Target, token: string, began: number): Promise<string[]> {
  const giveUp = world.clock.now() + logPatienceMs;
  for (;;) {
    const lines = (await world.log(pod, (world.clock.now() - began) / 1000 + 1)).filter((line) => line.includes(token));
    if (lines.length >= lookConnections || world.clock.now() > giveUp)
      return [...new Set(lines.map((line) => line.split(" ")[0] ?? ""))];
    await world.clock.sleep(pauseMs / 2);
  }
}
