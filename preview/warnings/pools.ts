import type { Cluster } from "../declared/cluster.ts";
import type { Warning } from "./warning.ts";

/** Without encapsulation, a pod's source address is accepted only in frames from its node's MAC address; behind a router every frame has the
 * router's. The machines of a lab are on one network. */
export function poolWarnings({ kind, dataplane }: Cluster): Warning[] {
  if (kind === "local") return [];
  return (dataplane?.pools ?? [])
    .filter(({ mode }) => mode === "Never")
    .map(({ name }) => ({
      about: `IPPool ${name}`,
      what: "vxlanMode Never: a router between nodes hides the sender of a packet, and policies trust any sender behind it that uses a pod's address",
      next: "set CrossSubnet, which encapsulates traffic across a router, or have the router drop pods' addresses from other sources",
    }));
}
