import { beforeEach, describe, expect, test } from "vitest";
import { covers, hostCidr, parseCidr } from "../../../model/address/address.ts";
import { prefixText } from "../../compile/key.ts";
import { LocationFlag, ReturnMode, ServiceFlag, SettingsFlag, TUNNEL_CLIENTS } from "../../kernel/layout.gen.ts";
import { memoryMaps } from "../../kernel/memory-map.ts";
import { isInSet, type RouteMaps, rangesOf, routeOf } from "./route.ts";

const { POOL, WORKLOAD, ENCAPSULATED, IPIP, NAT_OUTGOING, LOCAL_HOST, REMOTE_HOST, BLACKHOLE } = LocationFlag;
const [pod, other, far, near] = ["10.244.0.66", "10.244.0.67", "10.244.0.130", "10.244.0.2"];
const inIpip = "10.246.0.2";
const client = "172.31.1.55";
const unset = "::";
const service = { backendList: 1, backendCount: 1, localCount: 0, clusterFirst: 0, affinitySeconds: 0, tableSize: 0 };

/** As the kernel looks up the longest prefix, which maps in memory do not. */
function longest<Key extends { prefixLength: number }, Value>(
  store: { entries(): Iterable<[Key, Value]> },
  block: (key: Key) => string,
  address: string,
): Value | undefined {
  const wanted = hostCidr(address);
  const found = [...store.entries()].filter(([key]) => covers(parseCidr(block(key)), wanted));
  return found.sort(([one], [two]) => two.prefixLength - one.prefixLength)[0]?.[1];
}

let stored: ReturnType<typeof memoryMaps>;
let maps: RouteMaps;
beforeEach(() => {
  const all = memoryMaps();
  const { locations, sourceRanges } = all;
  stored = all;
  maps = {
    ...all,
    locations: {
      ...locations,
      lookup: ({ address }) => longest(locations, (key) => prefixText(key.address, key.prefixLength), address),
    } as RouteMaps["locations"],
    sourceRanges: {
      entries: () => sourceRanges.entries(),
      lookup: ({ set, client }) => {
        const own = { entries: () => sourceRanges.entries().filter(([key]) => key.set === set) };
        return longest(own, (key) => prefixText(key.client, key.prefixLength - 32), client);
      },
    } as RouteMaps["sourceRanges"],
  };
  const endpoint = { ifindex: 7, flags: 0, policy: 0, mac: "02:00:00:00:00:07", hostMac: "02:00:00:00:01:07" };
  for (const address of [pod, other]) stored.endpoints.update([[address, endpoint as never]]);
  const place = (address: string, length: number, flags: number, node: string = unset) =>
    stored.locations.update([
      [
        { prefixLength: length + 96, address },
        { identity: 0, flags, node },
      ],
    ]);
  place("10.244.0.0", 16, POOL | NAT_OUTGOING | BLACKHOLE);
  place(pod, 32, POOL | WORKLOAD | NAT_OUTGOING);
  place(other, 32, POOL | WORKLOAD | NAT_OUTGOING);
  place("10.244.0.128", 26, POOL | ENCAPSULATED | NAT_OUTGOING, "10.9.0.4");
  place("10.244.0.0", 26, POOL | NAT_OUTGOING, "172.31.1.8");
  place("10.246.0.0", 26, POOL | ENCAPSULATED | IPIP, "172.31.1.8");
  place("172.31.1.207", 32, LOCAL_HOST);
  place("10.9.0.4", 32, REMOTE_HOST | ENCAPSULATED, "10.9.0.4");
  returns(ReturnMode.DIRECT);
});

function returns(returnMode: number, flags = 0): void {
  const settings = { node: "172.31.1.207", second: unset, tunnelIfindex: 3, uplinkIfindex: 2, returnMode, flags };
  const others = {
    policyRevision: 0,
    serviceHandling: 0,
    socketTranslation: 0,
    hostRevision: 0,
    hostNamespace: 0n,
    wireguardIfindex: 0,
    takingOverUntil: 0,
  };
  stored.settings.update([[0, { ...settings, ...others }]]);
}
const route = (from: string, to: string, flags?: number) =>
  routeOf(
    maps,
    { from, to, ...(flags !== undefined && { service: { ...service, flags, sourceRanges: 0 } }) },
    (address) => `node at ${address}`,
  );

test.each([
  [pod, other, "stays on this node, to the pod's interface"],
  [pod, "172.31.1.207", "stays on this node, to a process of the node"],
  [pod, far, "to node at 10.9.0.4, wrapped in VXLAN"],
  [pod, near, "to node at 172.31.1.8, not wrapped"],
  [pod, inIpip, "to node at 172.31.1.8, wrapped in IPIP"],
  [pod, "10.9.0.4", "to node at 10.9.0.4, wrapped in VXLAN"],
  ["172.31.1.207", "10.9.0.4", "to node at 10.9.0.4, not wrapped"],
  ["172.31.1.207", far, "to node at 10.9.0.4, wrapped in VXLAN"],
  [pod, "10.244.9.9", "ends here: no pod or Service has the address"],
  [pod, client, "out of the cluster, by the node's routes, with the node's address as source (natOutgoing)"],
  ["172.31.1.207", client, "out of the cluster, by the node's routes"],
  [client, pod, "stays on this node, to the pod's interface"],
  [far, pod, undefined],
])("%s → %s: %s", (from, to, expected) => {
  expect(route(from, to)).toBe(expected);
});

describe("a client outside the cluster", () => {
  const wrapped = "to node at 172.31.1.8, wrapped in VXLAN; ";
  test("has its packets wrapped to a backend elsewhere, and its replies as the return mode says", () => {
    expect(route(client, near, 0)).toBe(`${wrapped}replies go from there straight to the client (return mode dsr)`);
    returns(ReturnMode.TUNNEL);
    expect(route(client, inIpip, 0)).toBe(`${wrapped}replies return through this node (return mode tunnel)`);
    expect(route(client, near, 0)).toBe(`${wrapped}replies return through this node (return mode tunnel)`);
  });

  test("has them as the Service says, and never directly where DSR does not reach it", () => {
    expect(route(client, near, ServiceFlag.RETURN_TUNNEL)).toBe(
      `${wrapped}replies return through this node, as the Service says`,
    );
    returns(ReturnMode.TUNNEL, SettingsFlag.TUNNEL_CLIENTS);
    expect(route(client, near, ServiceFlag.RETURN_DIRECT)).toContain("straight to the client, as the Service says");
    stored.sourceRanges.update([[{ prefixLength: 32 + 96 + 24, set: TUNNEL_CLIENTS, client: "172.31.1.0" }, 1]]);
    expect(route(client, near, ServiceFlag.RETURN_DIRECT)).toContain("among those that DSR does not reach");
  });
});

test("source ranges are those of the set and of the client's address family", () => {
  stored.sourceRanges.update([[{ prefixLength: 32 + 96 + 24, set: 5, client: "172.31.1.0" }, 1]]);
  stored.sourceRanges.update([[{ prefixLength: 32 + 64, set: 5, client: "fd00::" }, 1]]);
  stored.sourceRanges.update([[{ prefixLength: 32 + 96 + 8, set: 6, client: "10.0.0.0" }, 1]]);
  expect(rangesOf(maps, 5, client)).toEqual(["172.31.1.0/24"]);
  expect(rangesOf(maps, 5, "fd00::1")).toEqual(["fd00::/64"]);
  expect([isInSet(maps, 5, client), isInSet(maps, 6, client), isInSet(maps, 6, "10.1.2.3")]).toEqual([
    true,
    false,
    true,
  ]);
});
