import type { Cluster } from "../declared/cluster.ts";
import type { Warning } from "./warning.ts";

/** Without encapsulation, a pod's source address is accepted only in frames from its node's MAC address; behind a router every frame has the
 * router's. The machines of a lab are on one network, and a VPC drops what other instances send with a pod's address. */
export function poolWarnings({ kind, dataplane }: Cluster, routedByVpc: ReadonlySet<string>): Warning[] {
  if (kind === "local") return [];
  return (dataplane?.pools ?? [])
    .filter(({ mode }) => mode === "Never")
    .filter(({ cidr }) => !routedByVpc.has(cidr))
    .map(({ name }) => ({
      about: `IPPool ${name}`,
      what: "no encapsulation (vxlanMode and ipipMode are Never): a router between nodes hides the sender of a packet, and policies trust any sender behind it that uses a pod's address",
      next: "set one of them to CrossSubnet, which encapsulates traffic across a router, or have the router drop pods' addresses from other sources",
    }));
}
