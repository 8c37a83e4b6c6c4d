import type { Codec } from "./codec.ts";
import { KernelMap } from "./kernel-map.ts";
import { maps, type ServiceCount } from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";
import type { MapStore } from "./map-store.ts";
import { openMap, type Pins } from "./pins.ts";

/** How often something was counted; for packets also their bytes. */
export interface Counted {
  readonly times: number;
  readonly bytes: number;
}

/** How often each service was used and refused and what it carried, summed over the CPUs. */
export type ServiceCounts = Pick<MapStore<ServiceCount, Counted>, "entries" | "delete">;

/** Opens the counters once. */
export function serviceCounts(pins: Pins): ServiceCounts {
  const { serviceCounts: counts } = maps;
  return new KernelMap({ ...counts, value: summed }, openMap(pins, counts.name));
}

/** The values of all CPUs (struct service_counter), one behind the other. */
const summed: Codec<Counted> = {
  get size() {
    return libbpf().possibleCpus() * maps.serviceCounts.value.size;
  },
  encode() {
    throw new Error("Only the packet path counts.");
  },
  decode(view, at) {
    const { value } = maps.serviceCounts;
    let [times, bytes] = [0, 0];
    for (let offset = 0; offset < this.size; offset += value.size) {
      const ofOne = value.decode(view, at + offset);
      times += Number(ofOne.times);
      bytes += Number(ofOne.bytes);
    }
    return { times, bytes };
  },
};
