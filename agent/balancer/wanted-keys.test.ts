import { expect, test } from "vitest";
import { leaseOf } from "./wanted-keys.ts";

test("a Lease's name is one that an object can have, and no two addresses share it", () => {
  const addresses = ["192.0.2.1", "2001:db8::1", "2001:db8::", "::1:0", "1:2:3:4:5:6:7:8"];
  const names = addresses.map(leaseOf);
  expect(names.slice(0, 2)).toEqual(["address-192-0-2-1", "address-2001-db8-0-0-0-0-0-1"]);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
  expect(new Set(names).size).toBe(names.length);
});
