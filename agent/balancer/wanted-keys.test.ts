import { expect, test } from "vitest";
import { ipPool } from "../../model/objects/calico.ts";
import { node, pod, service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import { leaseOf, WantedKeys } from "./wanted-keys.ts";

test("a Lease's name is one that an object can have, and no two addresses share it", () => {
  const addresses = ["192.0.2.1", "2001:db8::1", "2001:db8::", "::1:0", "1:2:3:4:5:6:7:8"];
  const names = addresses.map(leaseOf);
  expect(names.slice(0, 2)).toEqual(["address-192-0-2-1", "address-2001-db8-0-0-0-0-0-1"]);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
  expect(new Set(names).size).toBe(names.length);
});

test("the node of an endpoint that its slice does not name is that of the pod, or of the address", () => {
  const slice = (address: string, nodeName?: string) =>
    endpointSlice.parse({
      metadata: { name: "web", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [address], nodeName }],
    });
  const addressed = (name: string, address: string) =>
    node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } });
  const kinds: Record<string, unknown[]> = {
    nodes: [addressed("one", "192.0.2.100"), addressed("two", "192.0.2.101")],
    ipPools: [
      ipPool.parse({ metadata: { name: "lb" }, spec: { cidr: "192.0.2.0/28", allowedUses: ["LoadBalancer"] } }),
    ],
    services: [
      service.parse({
        metadata: { name: "web", namespace: "default" },
        spec: {
          ...{ type: "LoadBalancer", clusterIPs: ["10.96.0.10"], ports: [{ port: 80 }] },
          externalTrafficPolicy: "Local",
        },
        status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
      }),
    ],
    pods: [],
    ipReservations: [],
  };
  const podAt = (address: string) =>
    pod.parse({
      metadata: { name: "web", namespace: "default" },
      spec: { nodeName: "two", containers: [{}] },
      status: { phase: "Running", podIPs: [{ ip: address }] },
    });
  const store = { list: (kind: string) => kinds[kind] ?? [] } as ConstructorParameters<typeof WantedKeys>[0];
  const wanted = new WantedKeys(store);
  const facts = {
    ...{ nodeName: "one", address: "192.0.2.100", subnets: ["192.0.2.0/24"], localAddresses: [] },
    ...{ serviceSubnet: "10.96.0.0/12", loadBalancer: true },
  };
  const candidates = () => wanted.now(facts).keys.get(leaseOf("192.0.2.1"));
  kinds.endpointSlices = [slice("10.244.0.9")];
  expect(candidates()).toEqual([]);
  kinds.pods = [podAt("10.244.0.9")];
  expect(candidates()).toEqual(["two"]);
  kinds.endpointSlices = [slice("192.0.2.100")];
  expect(candidates()).toEqual(["one"]);
  // From here on pods do not matter.
  kinds.endpointSlices = [slice("10.244.0.9", "two")];
  candidates();
  const { keys } = wanted.now(facts);
  kinds.pods = [];
  expect(wanted.now(facts).keys).toBe(keys);
});
