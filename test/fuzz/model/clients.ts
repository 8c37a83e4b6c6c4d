import { guarded } from "../../packets/cluster.ts";
import type { Flow } from "./flow.ts";
import type { Passage } from "./model.ts";

/** Whether its source ranges keep a client out that was given a backend. Of what comes wrapped the entry node has asked; the
 * host's stack has its own rules. */
export function isKeptOut({ arrival, outcome }: Passage, flow: Flow): boolean {
  const { source, destination, protocol, destinationPort } = flow;
  if (destination !== guarded.address || protocol !== 17 || destinationPort !== 80) return false;
  if (outcome === "pass_to_stack" || arrival.from === "stack") return false;
  if (arrival.from === "tunnel" && arrival.kind !== "overlay") return false;
  return !guarded.clients.some((client) => client === source);
}
