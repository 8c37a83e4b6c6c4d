import { expect, test } from "vitest";
import { service } from "../api/core.ts";
import { SOURCE_RANGES_LIMIT } from "./limits.ts";
import { sourceRanges } from "./source_ranges.ts";

const balanced = (ranges: readonly string[]) =>
  service.parse({
    metadata: { name: "web", namespace: "default" },
    spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.10"], loadBalancerSourceRanges: ranges, ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: [{ ip: "198.51.100.7" }] } },
  });
const addresses = (count: number) =>
  Array.from({ length: count }, (_, index) => `10.${index >> 8}.${index & 255}.1/32`);

test("a list of 10,000 ranges admits nobody, and is said", () => {
  const { of, problems } = sourceRanges(balanced(addresses(10_000)));
  expect(of("IPv4")?.ranges).toEqual([]);
  expect(problems).toMatchObject([{ kind: "Service", name: "web", path: "spec.loadBalancerSourceRanges" }]);
  expect(problems[0]?.message).toContain(`has 10000 ranges; one Service may have ${SOURCE_RANGES_LIMIT}.`);
});

test("as many as are allowed are taken, each once", () => {
  const ranges = addresses(SOURCE_RANGES_LIMIT - 1);
  const { of, problems } = sourceRanges(balanced([...ranges, ranges[0] as string]));
  expect(of("IPv4")?.ranges).toHaveLength(SOURCE_RANGES_LIMIT - 1);
  expect(problems).toEqual([]);
});

test("the same clients are the same set, in whatever order they are named", () => {
  const named = (...ranges: string[]) => sourceRanges(balanced(ranges)).of("IPv4")?.name;
  expect(named("10.0.0.0/8", "172.16.0.0/12")).toBe(named("172.16.0.0/12", "10.1.2.3/8"));
  expect(named("10.0.0.0/8")).not.toBe(named("10.0.0.0/9"));
});
