import type { Endpoint, Failsafe } from "../kernel/layout.gen.ts";
import type { Contributions } from "./desired.ts";

/** What policies say of the node itself. */
export interface HostMaps {
  readonly hostEndpoints: Contributions<number, Endpoint>;
  readonly failsafes: Contributions<Failsafe, number>;
}

export const NO_HOST_POLICIES: HostMaps = { hostEndpoints: [], failsafes: [] };
