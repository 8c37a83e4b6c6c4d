// What Services of one namespace can ask of a node: work that is linear in what they hold, in short parts, and what is too
// much fails closed for that object.
import { describe, expect, test, vi } from "vitest";
import { service } from "../../model/objects/core.ts";
import { type EndpointSlice, endpointSlice } from "../../model/objects/discovery.ts";
import { OTHER_PORTS } from "../../model/service/frontend.ts";
import { SERVICE_LIMITS } from "../../model/service/limits.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { Compiler } from "./compile.ts";
import { keyText } from "./key.ts";
import { NODE_LIMITS } from "./limits.ts";
import { mapsInWords } from "./maps-in-words.fixture.ts";
import { LONGEST_PART_MS, longest } from "./parts.fixture.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const address = (first: number, index: number) => `${first + (index >> 16)}.9.${(index >> 8) & 255}.${index & 255}`;

interface Large {
  readonly name: string;
  readonly namespace?: string;
  readonly ports?: number;
  readonly endpoints?: number;
  /** Of its first endpoint. */
  readonly from?: number;
  readonly externalIPs?: readonly string[];
}

let cluster = 0;

function large({ name, namespace = "loud", ports = 1, endpoints = 0, from = 0, externalIPs = [] }: Large) {
  const wanted = times(ports, (at) => ({ name: `p${at}`, port: 1 + at }));
  return {
    service: service.parse({
      metadata: { name, namespace },
      spec: { clusterIPs: [`10.96.${cluster++ & 255}.7`], externalIPs, ports: wanted },
    }),
    slices: times(Math.ceil(endpoints / 1000), (part) =>
      endpointSlice.parse({
        metadata: { name: `${name}-${part}`, namespace, labels: { "kubernetes.io/service-name": name } },
        addressType: "IPv4",
        ports: wanted,
        endpoints: times(Math.min(1000, endpoints - part * 1000), (at) => ({
          addresses: [address(20, from + part * 1000 + at)],
          nodeName: "elsewhere",
        })),
      }),
    ),
  };
}

function clusterOf(...all: ReturnType<typeof large>[]): ClusterSnapshot {
  return {
    ...snapshotOf({ namespaceLabels: {}, pods: [], policies: [] }),
    services: all.map(({ service }) => service),
    endpointSlices: all.flatMap(({ slices }) => slices),
  };
}

/** What is served, as "default/web 3": the backends of its first frontend. */
function outcome(snapshot: ClusterSnapshot, compiler = new Compiler()) {
  const maps = memoryMaps();
  const compiled = longest(compiler.compiling(snapshot));
  const written = longest(new Reconciler(maps).syncing(compiled.result.maps));
  for (const { ms } of [compiled, written]) expect(ms).toBeLessThan(LONGEST_PART_MS);
  expect(written.result).toMatchObject({ problems: [], pending: 0 });
  const ofPorts = maps.frontends.entries().filter(([{ port }]) => port !== OTHER_PORTS);
  const backends = new Map(ofPorts.map(([{ address }, value]) => [address, value.backendCount]));
  const served = snapshot.services.map(({ metadata, spec }) => {
    const count = backends.get(spec.clusterIPs[0] ?? "");
    return `${metadata.namespace}/${metadata.name} ${count ?? "unknown"}`;
  });
  const { problems, closedServices } = compiled.result;
  return { served, closedServices, said: problems.map(({ name, path, message }) => `${name}, ${path}: ${message}`) };
}

const calm = () => large({ name: "web", namespace: "calm", endpoints: 2, from: 100_000 });

describe("the limits of one Service", () => {
  test("a Service with too many endpoints over all its ports refuses clients and is reported; others continue", () => {
    const ports = Math.ceil(SERVICE_LIMITS.endpoints / 1000) + 1;
    const { served, closedServices, said } = outcome(
      clusterOf(large({ name: "huge", ports, endpoints: 1000 }), calm()),
    );
    expect(served).toEqual(["loud/huge 0", "calm/web 2"]);
    expect(closedServices).toBe(1);
    expect(said).toEqual([
      `huge, spec: has more than ${SERVICE_LIMITS.endpoints} endpoints, over all its ports. It serves no client until it is smaller. Next: split it.`,
    ]);
  });

  test("one with too many addresses and ports has none", () => {
    const externalIPs = times(SERVICE_LIMITS.frontends / 100, (at) => address(200, at));
    const { served, said } = outcome(clusterOf(large({ name: "huge", ports: 100, endpoints: 1, externalIPs }), calm()));
    expect(served).toEqual(["loud/huge unknown", "calm/web 2"]);
    expect(said).toEqual([expect.stringContaining("has more than 4096 addresses and ports for clients")]);
  });

  test("a thousand ports, and fifty slices of a thousand endpoints, are served", () => {
    const [wide, deep] = [
      large({ name: "wide", ports: 1000, endpoints: 2 }),
      large({ name: "deep", endpoints: 50_000 }),
    ];
    expect(outcome(clusterOf(wide, deep, calm()))).toEqual({
      served: ["loud/wide 2", "loud/deep 50000", "calm/web 2"],
      closedServices: 0,
      said: [],
    });
  });
});

describe("the limits of a node", () => {
  /** A node with a tenth of the room. */
  const room = {
    ...NODE_LIMITS.services,
    frontends: Math.floor(NODE_LIMITS.services.frontends / 10),
    endpoints: Math.floor(NODE_LIMITS.services.endpoints / 10),
    backends: Math.floor(NODE_LIMITS.services.backends / 10),
  };
  const onSmallNode = (...all: ReturnType<typeof large>[]) =>
    outcome(clusterOf(...all, calm()), new Compiler({ ...NODE_LIMITS, services: room }));

  test("too many endpoints over all ports: Services of the namespace that uses most are closed, the largest first", () => {
    const loud = times(12, (at) => large({ name: `s${at}`, ports: 50, endpoints: at === 3 ? 100 : 90 }));
    expect(11 * 4_500 + 5_000).toBeGreaterThan(room.endpoints);
    const { served, closedServices, said } = onSmallNode(...loud);
    expect(served.filter((one) => one.endsWith(" 0"))).toEqual(["loud/s3 0"]);
    expect(served.at(-1)).toBe("calm/web 2");
    expect(closedServices).toBe(1);
    expect(said).toEqual([expect.stringContaining("s3, spec: does not fit beside the others of node")]);
  });

  test("too many different backends", () => {
    const loud = times(9, (at) => large({ name: `s${at}`, endpoints: 3_000, from: at * 3_000 }));
    const { served } = onSmallNode(...loud);
    expect(served.filter((one) => one.startsWith("loud") && one.endsWith(" 3000"))).toHaveLength(8);
    expect(served.at(-1)).toBe("calm/web 2");
  });

  test("many Services may have the same backends", () => {
    const same = times(4, (at) => large({ name: `s${at}`, endpoints: 3_000 }));
    expect(onSmallNode(...same)).toMatchObject({ closedServices: 0 });
  });

  test("too many addresses and ports", () => {
    const many = times(33, (at) => large({ name: `s${at}`, ports: 400, endpoints: 1 }));
    const { served, closedServices } = onSmallNode(...many);
    expect(closedServices).toBe(1);
    expect(served.filter((one) => one.endsWith("unknown"))).toHaveLength(1);
    expect(served.at(-1)).toBe("calm/web 2");
  });
});

describe("work", () => {
  test("a port is not looked for in all ports of all slices", () => {
    const ports = 300;
    const { service, slices } = large({ name: "wide", ports, endpoints: 20_000 });
    let reads = 0;
    const counted = slices.slice(0, 5).map((slice): EndpointSlice => {
      const items = slice.ports.map(
        (port) =>
          new Proxy(port, {
            get(target, name) {
              reads++;
              return target[name as keyof typeof target];
            },
          }),
      );
      return { ...slice, endpoints: slice.endpoints.slice(0, 1), ports: items };
    });
    new Compiler().compile({ ...clusterOf(), services: [service], endpointSlices: counted });
    expect(reads).toBeLessThanOrEqual(4 * ports * counted.length);
  });

  test("frontends of one list of endpoints do not look at all of them", () => {
    const externalIPs = times(500, (at) => address(200, at));
    const state = new Compiler().compile(clusterOf(large({ name: "many", endpoints: 1000, externalIPs })));
    const maps = memoryMaps();
    const reconciler = new Reconciler(maps);
    const texts = vi.spyOn(keyText, "slots");
    try {
      expect(reconciler.sync(state.maps)).toMatchObject({ pending: 0 });
      expect(texts.mock.calls.length).toBeLessThanOrEqual(2 * 1000);
    } finally {
      texts.mockRestore();
    }
    expect(mapsInWords(maps).services).toHaveLength(502);
  });
});
