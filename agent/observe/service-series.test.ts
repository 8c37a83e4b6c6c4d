import { expect, test } from "vitest";
import { type Named, named } from "../../model/named.ts";
import type { CompiledService } from "../../model/service/service.ts";
import { maps, Outcome, type ServiceCount, ServiceCountKind } from "../kernel/layout.gen.ts";
import { MemoryMap } from "../kernel/memory-map.ts";
import type { Counted } from "../kernel/service-counts.ts";
import { type ServiceMetricsSettings, ServiceSeriesList } from "./service-series.ts";

/** Two ports, one list each. */
const portsOf = (owner: string): Named[] => [named(`${owner} http`), named(`${owner} dns`)];

function service(name: string, kind = "Service"): CompiledService {
  const [namespace = "", own = ""] = name.split("/");
  const lists = portsOf(`${kind} ${name}`).map((list) => ({ name: list, backends: [], kept: [] }));
  const object = { metadata: { namespace, name: own } };
  const backends = [{ ready: true }];
  return { owner: `${kind} ${name}`, kind, object, lists, backends } as unknown as CompiledService;
}

/** A kernel's counters, and the services of an agent. */
function counting(settings: Partial<ServiceMetricsSettings> = {}) {
  const counters = new MemoryMap(maps.serviceCounts);
  const counts = {
    entries: () =>
      counters
        .entries()
        .map(([key, { times, bytes }]): [ServiceCount, Counted] => [
          key,
          { times: Number(times), bytes: Number(bytes) },
        ]),
    delete: (keys: Parameters<typeof counters.delete>[0]) => counters.delete(keys),
  };
  let served = { services: [] as CompiledService[], lists: new Map<string, number>() };
  const start = () => new ServiceSeriesList({ limit: 2, ...settings }, counts, () => served);
  let agent = start();
  return {
    serve: (...names: string[]) => {
      served = { ...served, services: names.map((name) => service(name)) };
    },
    add: (name: string, more: number, { port = 0, kind = 0, bytes = 0 } = {}) => {
      const key = { backendList: portsOf(`Service ${name}`)[port]?.hash ?? 0, kind };
      const before = counters.lookup(key) ?? { times: 0n, bytes: 0n };
      counters.update([[key, { times: before.times + BigInt(more), bytes: before.bytes + BigInt(bytes) }]]);
    },
    restart: () => {
      agent = start();
    },
    keys: () => counters.entries().length,
    /** "shop/web 3 drop_source_range=1 requests=2,120" */
    lines: () =>
      agent.read().map(({ labels, connections, refusals, requests, answers }) => {
        const reasons = [...refusals].map(([reason, times]) => ` ${reason}=${times}`);
        const carried = Object.entries({ requests, answers }).filter(([, { packets }]) => packets > 0);
        const words = carried.map(([direction, { packets, bytes }]) => ` ${direction}=${packets},${bytes}`);
        return `${labels.namespace}/${labels.service} ${connections}${reasons.join("")}${words.join("")}`;
      }),
  };
}

test("ports of a service are counted together, refusals by reason", () => {
  const node = counting();
  node.serve("shop/web");
  node.add("shop/web", 2);
  node.add("shop/web", 3, { port: 1 });
  node.add("shop/web", 4, { kind: Outcome.DROP_SOURCE_RANGE });
  node.add("shop/web", 1, { kind: Outcome.DROP_SOURCE_RANGE, port: 1 });
  expect(node.lines()).toEqual(["shop/web 5 drop_source_range=5", "/other services 0"]);
  node.add("shop/web", 1);
  expect(node.lines()).toEqual(["shop/web 6 drop_source_range=5", "/other services 0"]);
});

test("packets and bytes are counted in each direction, and go on from what was read before", () => {
  const node = counting({ limit: 1 });
  node.serve("shop/web", "shop/x");
  node.lines();
  const { REQUESTS, ANSWERS } = ServiceCountKind;
  for (const name of ["shop/web", "shop/x"]) node.add(name, 2, { kind: REQUESTS, bytes: 120 });
  node.add("shop/web", 1, { kind: ANSWERS, bytes: 1514, port: 1 });
  expect(node.lines()).toEqual(["shop/web 0 requests=2,120 answers=1,1514", "/other services 0 requests=2,120"]);
  for (const name of ["shop/web", "shop/x"]) node.add(name, 1, { kind: REQUESTS, bytes: 54 });
  expect(node.lines()).toEqual(["shop/web 0 requests=3,174 answers=1,1514", "/other services 0 requests=3,174"]);
});

test("services beyond the limit, and of other namespaces, are added up", () => {
  const node = counting({ limit: 1 });
  node.serve("shop/b", "shop/a");
  node.lines();
  for (const name of ["shop/a", "shop/b"]) node.add(name, 1);
  expect(node.lines()).toEqual(["shop/a 1", "/other services 1"]);
  const limited = counting({ namespaces: ["mine"] });
  limited.serve("mine/a", "shop/a");
  limited.lines();
  for (const name of ["mine/a", "shop/a"]) limited.add(name, 1);
  expect(limited.lines()).toEqual(["mine/a 1", "/other services 1"]);
});

test("a service keeps its series when others come, and takes it away when it goes", () => {
  const node = counting();
  node.serve("shop/b", "shop/c");
  node.lines();
  node.serve("shop/a", "shop/b", "shop/c");
  for (const name of ["shop/a", "shop/b", "shop/c"]) node.add(name, 1);
  expect(node.lines()).toEqual(["shop/b 1", "shop/c 1", "/other services 1"]);
  node.serve("shop/a", "shop/c");
  expect(node.lines()).toEqual(["shop/c 1", "shop/a 0", "/other services 1"]);
  expect(node.keys()).toBe(2);
  node.serve("shop/a", "shop/b", "shop/c");
  node.add("shop/b", 5);
  expect(node.lines()).toEqual(["shop/c 1", "shop/a 0", "/other services 6"]);
});

test("an agent that starts again continues series, and does not count others twice", () => {
  const node = counting({ limit: 1 });
  node.serve("shop/a", "shop/b");
  for (const name of ["shop/a", "shop/b"]) node.add(name, 7);
  node.restart();
  expect(node.lines()).toEqual(["shop/a 7", "/other services 0"]);
  for (const name of ["shop/a", "shop/b"]) node.add(name, 1);
  expect(node.lines()).toEqual(["shop/a 8", "/other services 1"]);
});

test("before the services are known nothing is removed", () => {
  const node = counting();
  node.add("shop/a", 7);
  expect(node.lines()).toEqual(["/other services 0"]);
  node.serve("shop/a");
  expect(node.lines()).toEqual(["shop/a 7", "/other services 0"]);
});
