import type { EndpointStore } from "../cni/endpoint-store.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import type { Logger } from "../observe/log.ts";

interface Parts {
  readonly endpoints: Pick<EndpointStore, "list">;
  readonly network: Pick<NodeNetwork, "podMtu" | "followMtu">;
  readonly log: Pick<Logger, "info">;
}

/** Keeps the MTU of the interfaces of running pods: it follows the node's uplink, and whether the pools encapsulate. */
export class PodMtu {
  readonly #parts: Parts;
  /** The MTU that the interfaces had at the last look; 0: look again. */
  #given = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  lookAgain(): void {
    this.#given = 0;
  }

  get isBehind(): boolean {
    return this.#parts.network.podMtu !== this.#given;
  }

  async follow(): Promise<void> {
    const { endpoints, network, log } = this.#parts;
    if (!this.isBehind) return;
    const mtu = network.podMtu;
    this.#given = mtu;
    try {
      const changed = await network.followMtu(endpoints.list(), mtu);
      if (changed > 0) log.info(`gave the interfaces of ${changed} pods the MTU ${mtu}`);
    } catch (error) {
      this.#given = 0;
      throw error;
    }
  }
}
