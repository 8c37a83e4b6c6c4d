import { expect, test } from "vitest";
import { LocationFlag, ServiceFlag } from "../../kernel/layout.gen.ts";
import { memoryMaps } from "../../kernel/memory-map.ts";
import { askedService, backendsFor } from "./asked-service.ts";

const [here, there, pod, client] = ["172.31.1.8", "172.31.1.207", "10.244.0.2", "172.31.1.55"];
const TCP = 6;
/** The first place is for the traffic policy Local alone, the second is here, too, the third elsewhere. */
const service = {
  ...{ backendList: 1, backendCount: 3, localCount: 2, clusterFirst: 1 },
  ...{ affinitySeconds: 0, sourceRanges: 0, tableSize: 0 },
};

function mapsWith(flags: number) {
  const maps = memoryMaps();
  const place = (address: string, flags: number) =>
    [
      { prefixLength: 128, address },
      { identity: 0, flags, node: "::" },
    ] as const;
  maps.locations.update([place(here, LocationFlag.LOCAL_HOST), place(there, LocationFlag.REMOTE_HOST)]);
  const endpoint = {
    ifindex: 3,
    policy: 0,
    flags: 0,
    revision: 0,
    mac: "02:00:00:00:00:01",
    hostMac: "02:00:00:00:00:02",
  };
  maps.endpoints.update([[pod, endpoint]]);
  maps.frontends.update([
    [
      { address: "::4", port: 30080, protocol: TCP },
      { ...service, flags },
    ],
  ]);
  for (const index of [0, 1, 2]) {
    maps.slots.update([[{ backendList: 1, index }, index + 1]]);
    const backend = { address: `10.244.1.${index}`, port: 80, protocol: TCP, node: "::", flags: 0 };
    maps.backends.update([[index + 1, backend]]);
  }
  return maps;
}
const asked = (from: string, to: string) => ({ from, to, port: 30080, protocol: TCP, sourcePort: 40_000 });

test.each([
  ["a pod at another node's port", pod, there, ServiceFlag.EXTERNAL_LOCAL, undefined],
  ["the node at another node's port", here, there, ServiceFlag.EXTERNAL_LOCAL, undefined],
  ["a pod at its own node's port", pod, here, ServiceFlag.EXTERNAL_LOCAL, ["10.244.1.1", "10.244.1.2"]],
  ["a client at this node's port", client, here, ServiceFlag.EXTERNAL_LOCAL, ["10.244.1.0", "10.244.1.1"]],
  ["a pod at another node's port of a Service with policy Cluster", pod, there, 0, ["10.244.1.1", "10.244.1.2"]],
] as const)("%s is given the backends that the packet path gives it", (_, from, to, flags, backends) => {
  const maps = mapsWith(flags);
  const found = askedService(maps, asked(from, to));
  expect(found && backendsFor(maps, found, asked(from, to)).map(({ address }) => address)).toEqual(backends);
});
