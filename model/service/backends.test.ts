import { expect, test } from "vitest";
import { nodeDirectory } from "../node/nodes.ts";
import { endpointSlice } from "../objects/discovery.ts";
import { finish } from "../steps.ts";
import { backendsOf } from "./backends.ts";

const OTHERS = { localAddresses: [], serviceSubnet: "10.96.0.0/12", serviceSubnetIpv6: "fd00:96::/112" };

test.each([
  ["IPv4", ["10.96.0.1", "10.244.0.2", "10.111.255.255", "10.112.0.0"], ["10.112.0.0", "10.244.0.2"]],
  ["IPv6", ["fd00:96::1", "fd00:97::1"], ["fd00:97::1"]],
] as const)("a Service's address is no endpoint, %s", (addressType, all, left) => {
  const slice = endpointSlice.parse({
    metadata: { name: "web-1", namespace: "shop" },
    addressType,
    ports: [{ port: 80 }],
    endpoints: all.map((address) => ({ addresses: [address], nodeName: "one" })),
  });
  const nodes = nodeDirectory([], { nodeName: "one", address: "172.31.1.1", subnets: [], ...OTHERS } as never);
  const faulty = new Map();
  const pods = { nodeOf: () => undefined, weights: new Map() };
  const found = finish(backendsOf({ port: 80 } as never, addressType, [slice], false, nodes, pods, faulty));
  expect(found.map(({ address }) => address)).toEqual(left);
  expect(faulty.get(slice)).toEqual({
    path: "endpoints[0].addresses[0]",
    why: expect.stringContaining(`${all[0]} is in the network of cluster IPs`),
  });
});

test("backendsOf() looks at the endpoints of many slices in parts, as Kubernetes makes them: a hundred in each", () => {
  const slices = Array.from({ length: 40 }, (_, part) =>
    endpointSlice.parse({
      metadata: { name: `web-${part}`, namespace: "shop" },
      addressType: "IPv4",
      ports: [{ port: 80 }],
      endpoints: Array.from({ length: 100 }, (_, at) => ({ addresses: [`10.0.${part}.${at}`] })),
    }),
  );
  const nodes = nodeDirectory([], { nodeName: "one", address: "172.31.1.1", subnets: [], ...OTHERS } as never);
  let looked = 0;
  const parts: number[] = [];
  const steps = backendsOf({ port: 80 } as never, "IPv4", slices, false, nodes, {
    nodeOf: () => {
      looked++;
      return undefined;
    },
    weights: new Map(),
  });
  for (let done: boolean | undefined = false; !done; looked = 0) {
    ({ done } = steps.next());
    parts.push(looked);
  }
  expect(parts.reduce((sum, count) => sum + count)).toBe(4_000);
  expect(Math.max(...parts)).toBeLessThan(300);
});
