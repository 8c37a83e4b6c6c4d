import { expect, test } from "vitest";
import { Compiler } from "../../agent/compile/compile.ts";
import { NODE_LIMITS } from "../../agent/compile/limits.ts";
import { LONGEST_PART_MS, longest } from "../../agent/compile/parts.fixture.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { type Service, service } from "../objects/core.ts";
import { SOURCE_RANGES_LIMIT, sourceRanges } from "./source-ranges.ts";

const balanced = (ranges: readonly string[], name = "web", namespace = "default") =>
  service.parse({
    metadata: { name, namespace },
    spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.10"], loadBalancerSourceRanges: ranges, ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: [{ ip: "198.51.100.7" }] } },
  });
const PATH = "spec.loadBalancerSourceRanges";
const addresses = (count: number) =>
  Array.from({ length: count }, (_, index) => `10.${index >> 8}.${index & 255}.1/32`);

test("a list of 10,000 ranges admits no client, and is reported", () => {
  const { of, problems } = sourceRanges(balanced(addresses(10_000)));
  expect(of("IPv4")?.ranges).toEqual([]);
  expect(problems).toMatchObject([{ kind: "Service", name: "web", path: PATH }]);
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

const compiled = (services: readonly Service[]) =>
  longest(new Compiler().compiling({ ...snapshotOf({ namespaceLabels: {}, pods: [], policies: [] }), services }));

test("of too many lists for a node those of the namespace that names most are closed, as many as it takes, in short parts", () => {
  const list = (first: number) => addresses(SOURCE_RANGES_LIMIT).map((text) => text.replace("10.", `${first}.`));
  const large = Array.from({ length: 40 }, (_, index) => balanced(list(20 + index), `large-${index}`, "large"));
  const small = [balanced(addresses(100), "small", "small"), balanced(list(11), "medium", "small")];
  const { result: state, ms } = compiled([...large, ...small]);
  const closed = state.problems.filter(({ path }) => path === PATH).map(({ namespace }) => namespace);
  const room = (NODE_LIMITS.services.sourceRanges - 100) / SOURCE_RANGES_LIMIT;
  expect(closed).toEqual(Array.from({ length: 41 - Math.floor(room) }, () => "large"));
  const entries = state.maps.sourceRanges.flatMap(({ entries }) => [...entries]);
  expect(entries).toHaveLength(Math.floor(room) * SOURCE_RANGES_LIMIT + 100);
  expect(ms).toBeLessThan(LONGEST_PART_MS);
});

test("one list of many Services counts once", () => {
  const shared = addresses(SOURCE_RANGES_LIMIT);
  const services = Array.from({ length: 40 }, (_, index) => balanced(shared, `shared-${index}`));
  expect(compiled(services).result.problems.filter(({ path }) => path === PATH)).toEqual([]);
});
