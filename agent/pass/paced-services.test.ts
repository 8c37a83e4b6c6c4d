import fc from "fast-check";
import { expect, test } from "vitest";
import { pod, service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import { type ClusterSnapshot, noObjects } from "../compile/snapshot.ts";
import { PacedServices, type ServedObjects } from "./paced-services.ts";

const web = (name: string, ports = 1) =>
  service.parse({
    metadata: { name, namespace: "shop" },
    spec: { ports: Array.from({ length: ports }, (_, at) => ({ port: at + 1 })) },
  });
const slice = (of: string, endpoints: number) =>
  endpointSlice.parse({
    metadata: { name: `${of}-1`, namespace: "shop", labels: { "kubernetes.io/service-name": of } },
    addressType: "IPv4",
    endpoints: Array.from({ length: endpoints }, (_, at) => ({ addresses: [`10.0.0.${at}`] })),
  });
const cluster = (...names: string[]): ServedObjects => ({
  services: names.map((name) => web(name)),
  endpointSlices: names.map((name) => slice(name, 9)),
});
const names = ({ services, endpointSlices }: ServedObjects) => [
  services.map(({ metadata }) => metadata.name).join(" "),
  endpointSlices.map(({ metadata }) => metadata.name).join(" "),
];

test("the first piece is everything, and what is small passes as it is", () => {
  const paced = new PacedServices(10);
  const first = cluster("a", "b", "c");
  expect(paced.next(first)).toBe(first);
  expect(paced.next(first)).toBe(first);
  const more = { ...first, services: [...first.services, web("d")] };
  expect(paced.next(more)).toBe(more);
  expect(paced.isBehind).toBe(false);
});

test("many changes pass in pieces, each Service with its slices, those that went too", () => {
  const paced = new PacedServices(20);
  paced.next(cluster());
  const three = cluster("a", "b", "c");
  const before = performance.now();
  expect(paced.behindSince).toBeUndefined();
  expect(names(paced.next(three))).toEqual(["a b", "a-1 b-1"]);
  expect(paced.isBehind).toBe(true);
  const since = paced.behindSince as number;
  expect(since).toBeGreaterThanOrEqual(before);
  expect(since).toBeLessThanOrEqual(performance.now());
  expect(paced.next(three)).toBe(three);
  expect([paced.isBehind, paced.behindSince]).toEqual([false, undefined]);
  const gone = { services: three.services.slice(2), endpointSlices: three.endpointSlices.slice(2) };
  const { services, endpointSlices } = cluster("a");
  const next = {
    services: [...gone.services, ...services],
    endpointSlices: [...gone.endpointSlices, ...endpointSlices],
  };
  // "a" changed, which counts twice, and "b" went.
  expect(names(paced.next(next))).toEqual(["c a b", "c-1 a-1 b-1"]);
  expect(paced.next(next)).toBe(next);
});

test("of a snapshot, only Services and their slices are held back", () => {
  const paced = new PacedServices(20);
  const facts = {} as ClusterSnapshot["facts"];
  const snapshot = (names: string[], pods: ClusterSnapshot["pods"]): ClusterSnapshot => ({
    ...{ ...noObjects, facts, endpoints: [], pods },
    ...cluster(...names),
  });
  expect(Object.keys(paced.of(snapshot([], [])).served ?? {})).toEqual(["services", "endpointSlices"]);
  const pods = [pod.parse({ metadata: { name: "p" }, spec: {} })];
  const held = paced.of(snapshot(["a", "b", "c"], pods));
  expect(held.pods).toBe(pods);
  expect([held.services.length, held.served?.services.length]).toEqual([3, 2]);
});

test("one that is larger than a piece is a piece, and one that changes all the time keeps no other one waiting", () => {
  const paced = new PacedServices(20);
  paced.next(cluster());
  const others = cluster("b", "c");
  const flapping = () => ({ services: [web("a", 100), ...others.services], endpointSlices: others.endpointSlices });
  expect(names(paced.next(flapping()))[0]).toBe("a");
  expect(names(paced.next(flapping()))[0]).toBe("b c a");
  // Since it changed again, not since it changed first: it was served meanwhile.
  const since = paced.behindSince as number;
  paced.next(flapping());
  expect(paced.behindSince === undefined || paced.behindSince >= since).toBe(true);
});

test("whatever changes, the pieces end with the objects as they are, and show each Service as it was or as it is", () => {
  const change = fc.array(fc.record({ name: fc.constantFrom("a", "b", "c", "d", "e"), there: fc.boolean() }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
      const paced = new PacedServices(15);
      const there = new Map<string, ServedObjects>();
      const versions = new Map<string, Set<string>>();
      paced.next(cluster());
      const look = () => {
        const all = [...there.values()];
        const now = {
          services: all.flatMap((one) => one.services),
          endpointSlices: all.flatMap((one) => one.endpointSlices),
        };
        const shown = paced.next(now);
        for (const item of shown.services) expect(versions.get(item.metadata.name)).toContain(item.metadata.uid);
        expect(new Set(shown.services.map(({ metadata }) => metadata.name)).size).toBe(shown.services.length);
        for (const { metadata, spec } of shown.services) {
          const own = shown.endpointSlices.find(({ metadata: { name } }) => name === `${metadata.name}-1`);
          expect(own?.metadata.uid).toBe(metadata.uid);
          expect(spec.ports).toHaveLength(1);
        }
        return { now, shown };
      };
      let version = 0;
      for (const some of changes) {
        for (const { name, there: stays } of some) {
          const uid = String(version++);
          const { services, endpointSlices } = cluster(name);
          const marked = <T extends { metadata: object }>(items: readonly T[]) =>
            items.map((item) => ({ ...item, metadata: { ...item.metadata, uid } }));
          if (stays) there.set(name, { services: marked(services), endpointSlices: marked(endpointSlices) });
          else there.delete(name);
          versions.set(name, (versions.get(name) ?? new Set()).add(uid));
        }
        look();
      }
      for (let rounds = 0; rounds < 10; rounds++) look();
      const { now, shown } = look();
      expect(shown).toEqual(now);
      expect(paced.isBehind).toBe(false);
    }),
  );
});
