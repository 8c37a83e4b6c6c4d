import type { Service } from "./layout.gen.ts";

/** A Service without anything special, as tests write it to maps. */
export const plainService = (more: Partial<Service>): Service => ({
  ...{ backendList: 0, backendCount: 0, localCount: 0, clusterFirst: 0 },
  ...{ affinitySeconds: 0, flags: 0, sourceRanges: 0, tableSize: 0 },
  ...more,
});
