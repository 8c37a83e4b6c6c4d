import { expect, test } from "vitest";
import { ipPool } from "../../model/objects/calico.ts";
import { node, service } from "../../model/objects/core.ts";
import { leaseOf, WantedKeys } from "./wanted-keys.ts";

test("a Lease's name is one that an object can have, and no two addresses share it", () => {
  const addresses = ["192.0.2.1", "2001:db8::1", "2001:db8::", "::1:0", "1:2:3:4:5:6:7:8"];
  const names = addresses.map(leaseOf);
  expect(names.slice(0, 2)).toEqual(["address-192-0-2-1", "address-2001-db8-0-0-0-0-0-1"]);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
  expect(new Set(names).size).toBe(names.length);
});

test("an address on a link of the nodes that no node announces is a problem of its Service; one that routers have a route to is not", () => {
  const labels = { "node.kubernetes.io/exclude-from-external-load-balancers": "" };
  const kinds: Record<string, unknown[]> = {
    nodes: [node.parse({ metadata: { name: "one", labels } })],
    ipPools: [
      ipPool.parse({ metadata: { name: "lb" }, spec: { cidr: "192.0.2.0/28", allowedUses: ["LoadBalancer"] } }),
    ],
    services: [
      service.parse({
        metadata: { name: "web", namespace: "default" },
        spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.10"], ports: [{ port: 80 }] },
        status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
      }),
    ],
  };
  const store = { list: (kind: string) => kinds[kind] ?? [] } as ConstructorParameters<typeof WantedKeys>[0];
  const inSubnet = (subnet: string) =>
    new WantedKeys(store).now({
      ...{ nodeName: "one", address: "192.0.2.100", subnets: [subnet], localAddresses: [] },
      ...{ serviceSubnet: "10.96.0.0/12", loadBalancer: true },
    }).problems;
  expect(inSubnet("192.0.2.0/24")).toMatchObject([{ kind: "Service", namespace: "default", name: "web" }]);
  expect(inSubnet("172.31.1.0/24")).toEqual([]);
});
