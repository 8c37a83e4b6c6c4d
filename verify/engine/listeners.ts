import type { Listener } from "../../components/documents/check.ts";
import type { RunningServer } from "../actors/actor.ts";
import type { World } from "./world.ts";

/** A probe server of the check could not be started: nothing can be tried. */
export class ListenFailed extends Error {}

/** The probe servers of a check. */
export interface Listeners {
  /** Ends all. @returns why some had already ended */
  stop(): Promise<string[]>;
}

/** Starts the probe servers that a check asks for, or none. @throws ListenFailed */
export async function startListeners(world: World, listen: Listener[]): Promise<Listeners> {
  const started = await Promise.allSettled(listen.map((listener) => start(world, listener)));
  const running = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const stop = async (): Promise<string[]> => {
    const problems = await Promise.all(running.map((server) => server.stop().catch((error: Error) => error.message)));
    return problems.flatMap((problem) => problem ?? []);
  };
  const failures = started.flatMap((one) => (one.status === "rejected" ? [(one.reason as Error).message] : []));
  if (failures.length === 0) return { stop };
  await stop();
  throw new ListenFailed(failures.join("; "));
}

function start(world: World, { at: { value: place }, tcp = [], udp = [] }: Listener): Promise<RunningServer> {
  const actor = place.kind === "machine" ? world.machine(place.name) : world.node(place.name);
  return actor.listen({ tcp, udp }, `${place.kind}/${place.name}`);
}
