import { expect, test } from "vitest";
import { FaultyMap } from "./faulty-map.ts";
import { maps } from "./layout.gen.ts";
import { mapStoreCases } from "./map-store.cases.ts";
import { MemoryMap } from "./memory-map.ts";

mapStoreCases("memory", (definition) => new MemoryMap(definition));
mapStoreCases("faulty (without faults)", (definition) => new FaultyMap(definition, () => false));

test("FaultyMap fails exactly the chosen writes", () => {
  const store = new FaultyMap(maps.slots, (attempt) => attempt === 2);
  const failures = store.update([0, 1, 2].map((index) => [{ backendList: 1, index }, index] as const));
  expect(failures).toEqual([{ key: { backendList: 1, index: 1 }, full: false, reason: "write 2 was made to fail" }]);
  expect(store.entries().map(([key]) => key.index)).toEqual([0, 2]);
});
