import type { DataplaneParts } from "./dataplane.ts";

type Parts = Pick<DataplaneParts, "endpoints" | "network" | "log">;

/** The MTU of the interfaces of pods that are there: it follows the node's uplink, and whether the pools encapsulate. */
export class PodMtu {
  readonly #parts: Parts;
  /** What the interfaces had at the last look; 0: to be looked at. */
  #given = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  lookAgain(): void {
    this.#given = 0;
  }

  async follow(): Promise<void> {
    const { endpoints, network, log } = this.#parts;
    const mtu = network.podMtu;
    if (mtu === this.#given) return;
    this.#given = mtu;
    const changed = await network.followMtu(endpoints.list(), mtu);
    if (changed > 0) log.info(`gave the interfaces of ${changed} pods the MTU ${mtu}`);
  }
}
