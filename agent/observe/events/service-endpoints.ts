import { Memo } from "../../../model/memo.ts";
import type { EndpointSlice } from "../../../model/objects/discovery.ts";
import { SliceGroups } from "../../../model/service/slice-groups.ts";
import { endpointKey } from "./flow-filter.ts";

/** The addresses and ports behind single Services, read only when they are asked for. */
export class ServiceEndpoints {
  readonly #slices: () => readonly EndpointSlice[];
  readonly #groups = new SliceGroups();
  readonly #keys = new Memo<readonly EndpointSlice[], ReadonlySet<string>>();
  #seen: readonly EndpointSlice[] | undefined;

  constructor(slices: () => readonly EndpointSlice[]) {
    this.#slices = slices;
  }

  /** @param service "NAMESPACE/NAME" @returns keys by `endpointKey` */
  of(service: string): ReadonlySet<string> {
    const slices = this.#slices();
    if (slices !== this.#seen) this.#groups.update(slices);
    this.#seen = slices;
    const own = this.#groups.of(service);
    return this.#keys.get(own, [], () => new Set(own.flatMap(keysOf)));
  }
}

function keysOf({ endpoints, ports }: EndpointSlice): string[] {
  return ports.flatMap(({ port, protocol }) =>
    port == null
      ? []
      : endpoints.flatMap(({ addresses }) => addresses.map((one) => endpointKey(one, port, protocol ?? "TCP"))),
  );
}
