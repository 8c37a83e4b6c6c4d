import type { Cluster } from "../declared/cluster.ts";
import type { Warning } from "./warning.ts";

/** Pods that are routed plainly are believed in frames of their node; of a node behind a router every frame is the router's. The
 * machines of a lab are on one network. */
export function poolWarnings({ kind, dataplane }: Cluster): Warning[] {
  if (kind === "local") return [];
  return (dataplane?.pools ?? [])
    .filter(({ vxlanMode }) => vxlanMode === "Never")
    .map(({ name }) => ({
      about: `IPPool ${name}`,
      what: "vxlanMode Never: where a router is between nodes, it hides who sent a packet, and policies believe whoever uses a pod's address behind it",
      next: "set CrossSubnet, which wraps what passes a router, or have the router refuse pods' addresses from elsewhere",
    }));
}
