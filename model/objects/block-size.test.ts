import { expect, test } from "vitest";
import { ipPool } from "./calico.ts";

test.each([
  ["10.244.0.0/16", undefined, true],
  ["10.244.0.0/16", 20, true],
  ["10.244.0.0/16", 32, true],
  ["10.244.0.0/16", 19, false],
  ["10.244.0.0/16", 33, false],
  ["fd00:10:244::/56", 116, true],
  ["fd00:10:244::/56", 128, true],
  ["fd00:10:244::/56", 115, false],
  ["fd00:10:244::/56", 26, false],
])("a pool of %s with blocks of /%s", (cidr, blockSize, isGood) => {
  const { error } = ipPool.safeParse({ metadata: { name: "pool" }, spec: { cidr, blockSize } });
  expect(error?.issues.map(({ path }) => path.join("."))).toEqual(isGood ? undefined : ["spec.blockSize"]);
});
