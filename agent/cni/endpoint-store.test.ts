import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pod } from "../../model/objects/core.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { type Endpoint, EndpointStore } from "./endpoint-store.ts";
import { lostEndpoints } from "./recovery.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "endpoints-"));
  file = join(folder, "endpoints.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const endpoint = (index: number): Endpoint => ({
  containerId: `c${index}`,
  ifname: "eth0",
  netns: "/run/netns/x",
  namespace: "default",
  pod: `web-${index}`,
  uid: "",
  address: `10.244.0.${index}`,
  mac: "02:00:00:00:00:01",
  hostMac: "02:00:00:00:00:02",
  hostInterface: `ebpf${index}`,
  ifindex: index,
});

test.each([
  ["garbage", "{garbage"],
  ["nothing", ""],
  ["a field missing", '{"endpoints":[{"containerId":"c1"}],"freed":[]}'],
])("a file with %s in it: the copy is used, and one sentence reports it", (_, text) => {
  new EndpointStore(file).add(endpoint(1));
  writeFileSync(file, text);
  const store = new EndpointStore(file);
  expect(store.list()).toEqual([endpoint(1)]);
  expect(store.damage).toMatch(/^.*endpoints\.json cannot be read \([^\n]*\): using its copy$/);
  store.add(endpoint(2));
  expect(new EndpointStore(file)).toMatchObject({ damage: undefined });
  expect(new EndpointStore(file).list()).toEqual([endpoint(1), endpoint(2)]);
});

test("both addresses of a pod are in use, and both are freed; a file of an older agent has one", () => {
  const store = new EndpointStore(file);
  const dual = { ...endpoint(1), secondAddress: "fd00:10:244::1" };
  store.add(dual);
  store.add(endpoint(2));
  expect(new EndpointStore(file).list()).toEqual([dual, endpoint(2)]);
  expect(store.used()).toEqual(new Set(["10.244.0.1", "fd00:10:244::1", "10.244.0.2"]));
  store.remove(dual);
  expect(store.freed().map(({ address }) => address)).toEqual(["10.244.0.1", "fd00:10:244::1"]);
  store.add(dual);
  expect(store.freed()).toEqual([]);
});

test("file and copy damaged: an agent still starts, and reports it", () => {
  writeFileSync(file, "{");
  writeFileSync(`${file}.copy`, "{");
  const store = new EndpointStore(file);
  expect(store.list()).toEqual([]);
  expect(store.damage).toContain("recovering endpoints from the maps");
});

test("a failed write does not change the memory either", () => {
  const store = new EndpointStore(file);
  store.add(endpoint(1));
  mkdirSync(`${file}.new`); // makes writing impossible, even for root
  expect(() => store.add(endpoint(2))).toThrow();
  expect(store.list()).toEqual([endpoint(1)]);
  expect(() => store.remove(endpoint(1))).toThrow();
  expect(store.list()).toEqual([endpoint(1)]);
  expect(store.freed()).toEqual([]);
  expect(JSON.parse(readFileSync(file, "utf8")).endpoints).toEqual([endpoint(1)]);
});

test("endpoints that are in no file are recovered from the maps, by the pods with their addresses and by existing interfaces", () => {
  const maps = memoryMaps();
  const value = { policy: 7, flags: 1, revision: 3, mac: "02:00:00:00:00:01", hostMac: "02:00:00:00:00:02" };
  for (const index of [1, 2, 3]) {
    maps.interfaces.update([[index, { ipv4: `10.244.0.${index}`, ipv6: "::" }]]);
    maps.endpoints.update([[`10.244.0.${index}`, { ...value, ifindex: index }]]);
  }
  const pods = [1, 2, 3].map((index) =>
    pod.parse({
      metadata: { name: `web-${index}`, namespace: "default" },
      spec: { nodeName: "master", containers: [{}] },
      status: { phase: "Running", podIPs: [{ ip: `10.244.0.${index}` }] },
    }),
  );
  const device = (index: number) => ({
    name: `ebpf${index}`,
    ifindex: index,
    mtu: 1450,
    mac: "",
    up: true,
    kind: "veth",
    addresses: [],
  });
  const found = lostEndpoints({ list: () => [endpoint(1)] }, maps, pods, [device(1), device(2)]);
  expect(found).toEqual([{ ...endpoint(2), containerId: "recovered-ebpf2", netns: "" }]);
});
