import { Gauge, type Registry } from "prom-client";

/** A session of this node's BIRD. */
export interface CountedSession {
  readonly peer: string;
  readonly established: boolean;
}

/** Administrators make peers and nodes, so their number is bounded. */
export function bgpGauge(read: () => readonly CountedSession[], prefix: string, registers: Registry[]): void {
  new Gauge({
    name: `${prefix}bgp_session_up`,
    help: "1 while this node's BGP session with the peer is established, else 0; read every 10 s.",
    labelNames: ["peer"],
    registers,
    collect() {
      this.reset();
      for (const { peer, established } of read()) this.set({ peer }, established ? 1 : 0);
    },
  });
}
