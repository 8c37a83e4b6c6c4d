import { describe, expect, test } from "vitest";
import { felixConfiguration } from "../objects/calico.ts";
import { MAP_SIZE_LIMITS, mapSizes } from "./map-sizes.ts";

const GIB = 2 ** 30;

describe("the sizes of a node's maps", () => {
  test.each([
    [1, 65_536],
    [2, 65_536],
    [8, 262_144],
    [16, 524_288],
    [32, 1_048_576],
    [512, 1_048_576],
  ])("a node with %i GiB has room for %i entries of connections", (memory, connections) => {
    const { proven, unproven, affinities } = mapSizes({}, memory * GIB);
    expect(proven + unproven).toBe(connections);
    expect([unproven, affinities]).toEqual([connections / 4, connections / 4]);
  });

  test.each([
    [30_000, 4],
    [10_000, 10],
  ])("%i Services with %i endpoints fit, in two families", (services, endpoints) => {
    const sizes = mapSizes({}, GIB);
    expect(sizes.frontends).toBeGreaterThanOrEqual(2 * 2 * services); // a cluster address and a node port
    expect(sizes.slots).toBeGreaterThanOrEqual(2 * services * endpoints);
    expect(sizes.members).toBe(sizes.slots);
    expect(sizes.backends).toBeGreaterThanOrEqual(2 * services * endpoints);
  });

  test("are what FelixConfiguration says", () => {
    const { spec } = felixConfiguration.parse({
      metadata: { name: "default" },
      spec: {
        bpfMapSizeConntrack: 4_000,
        bpfMapSizeNATAffinity: 2_000,
        bpfMapSizeNATFrontend: 3_000,
        bpfMapSizeNATBackend: 5_000,
      },
    });
    expect(mapSizes(spec, GIB)).toEqual({
      ...{ proven: 3_000, unproven: 1_000, affinities: 2_000, frontends: 3_000 },
      ...{ backends: 5_000, slots: 5_000, members: 5_000 },
    });
  });

  test.each(Object.entries(MAP_SIZE_LIMITS))("%s outside its limits is refused with them", (field, { least, most }) => {
    for (const value of [least - 1, most + 1, 0, -1, 1.5, "many"]) {
      const { error } = felixConfiguration.safeParse({ metadata: { name: "default" }, spec: { [field]: value } });
      expect(error?.issues[0]).toMatchObject({
        ...{ path: ["spec", field], message: `allowed are ${least} to ${most} entries` },
      });
    }
  });
});
