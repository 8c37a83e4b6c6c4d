import { Gauge, type Registry } from "prom-client";
import type { PoolUse } from "../../model/pool/use.ts";

/** Administrators make pools, so their number is bounded; namespaces are not in it, since many people make those (`inspect ipam`). */
export function poolGauge(read: () => readonly PoolUse[], prefix: string, registers: Registry[]): void {
  new Gauge({
    name: `${prefix}pool_addresses`,
    help:
      "Addresses of an IPPool for pods by state, in the whole cluster: all; claimed (in blocks of nodes, which alone give them to pods); used (pods have them). " +
      "Every agent shows the same.",
    labelNames: ["pool", "state"],
    registers,
    collect() {
      this.reset();
      for (const { pool, all, claimed, used } of read())
        for (const [state, count] of Object.entries({ all, claimed, used })) this.set({ pool, state }, count);
    },
  });
}
