import { guarded } from "../../packets/cluster.ts";
import type { Flow } from "./flow.ts";
import type { Passage } from "./model.ts";

/** Whether the service's source ranges exclude a client that was given a backend. The entry node has checked wrapped packets; the
 * host's stack has its own rules. */
export function isKeptOut({ arrival, outcome }: Passage, flow: Flow): boolean {
  const { source, destination, protocol, destinationPort } = flow;
  if (destination !== guarded.address || protocol !== 17 || destinationPort !== 80) return false;
  if (outcome === "pass_to_stack" || arrival.from === "stack") return false;
  if (arrival.from === "tunnel" && arrival.kind !== "overlay") return false;
  return !guarded.clients.some((client) => client === source);
}
