import type { Backend } from "./backend.ts";
import type { CompiledService } from "./service.ts";

/** ready: gets new connections; terminating: serves, and gets new ones only where none is ready; unready: gets none. */
export type BackendState = "ready" | "terminating" | "unready";
export type BackendCounts = Readonly<Record<BackendState, number>>;

export const NO_BACKENDS: BackendCounts = { ready: 0, terminating: 0, unready: 0 };

/** Backends of all Services by state, by port; one that several Services have counts for each of them. */
export function backendCounts(services: readonly CompiledService[]): BackendCounts {
  const counts = { ...NO_BACKENDS };
  for (const { kind, backends } of services)
    if (kind === "Service") for (const backend of backends) counts[stateOf(backend)]++;
  return counts;
}

function stateOf({ ready, servingTerminating }: Backend): BackendState {
  if (ready) return "ready";
  return servingTerminating ? "terminating" : "unready";
}
