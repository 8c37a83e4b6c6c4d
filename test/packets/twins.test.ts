import { expect, test } from "vitest";
import type { Loaded } from "../../agent/kernel/load.ts";
import { writeTwins } from "./twins.ts";

/** The benchmark writes the small cluster by another version's own compiler and codecs, which may be older than IPv6. */
test("a version whose workloads have one address gets no twins", () => {
  const entries = { interfaces: [[7, "10.244.0.3"]], endpoints: [["10.244.0.3", { ifindex: 7 }]] };
  const unwritten = (name: string, map: [unknown, unknown][] = []) => ({
    entries: () => map,
    update: (written: unknown[]) => {
      throw new Error(`${written.length} entries of ${name} are written`);
    },
  });
  const maps = new Proxy({}, { get: (_, name: string) => unwritten(name, Object(entries)[name]) });
  expect(() => writeTwins(maps as Loaded["maps"])).not.toThrow();
});
