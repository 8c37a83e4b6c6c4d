import { hostCidr } from "../../model/address/address.ts";
import { addressesOf } from "../../model/objects/pod-of.ts";
import { prefixOf } from "../compile/addresses.ts";
import type { LocalEndpoint } from "../compile/snapshot.ts";
import { mayUse } from "../kernel/workload.ts";
import type { Deltas } from "./step.ts";

type Placed = Pick<LocalEndpoint, "address" | "secondAddress" | "ifindex">;

/** Lets CNI wait until an endpoint's policy, location, endpoint and interface are in the maps. */
export class EndpointGate {
  readonly #deltas: Deltas;
  readonly #waiting = new Set<{ endpoint: Placed; resolve: () => void }>();

  constructor(deltas: Deltas) {
    this.#deltas = deltas;
  }

  /** Resolves once the endpoint is in force; rejects with the signal's reason when that aborts first. */
  endpointReady(endpoint: Placed, signal?: AbortSignal): Promise<void> {
    if (this.isReady(endpoint)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = { endpoint, resolve };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", () => {
        if (this.#waiting.delete(waiter)) reject(signal.reason);
      });
    });
  }

  /** Call it after every sync. */
  settle(): void {
    for (const waiter of this.#waiting) {
      if (!this.isReady(waiter.endpoint)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Policies need no separate check: the endpoint's entry is written only after them. */
  isReady(placed: Placed): boolean {
    const { endpoints, interfaces, locations } = this.#deltas;
    const { ifindex } = placed;
    const workload = interfaces.actual(ifindex);
    return addressesOf(placed).every((address) => {
      const location = prefixOf(hostCidr(address));
      return (
        mayUse(workload, address) &&
        endpoints.actual(address)?.ifindex === ifindex &&
        !endpoints.isPending(address) &&
        locations.has(location) &&
        !locations.isPending(location)
      );
    });
  }
}
