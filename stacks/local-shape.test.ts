import { expect, test } from "vitest";
import { labSchema } from "../components/documents/lab.ts";
import { MachineRole } from "../components/index.ts";
import { WALK_THROUGH_MACHINES } from "../components/machine/machine.ts";
import { type Asked, MOST, roomFault, shapeOf, subnetsFault } from "./local-shape.ts";

const usual: Asked = { nodes: 2, clients: 2, router: false, subnets: undefined, isIpv6Alone: false };
const wide = [
  { name: "a", cidr: "10.1.1.0/24" },
  { name: "b", cidr: "10.1.2.0/24", link: { mtu: 1400 } },
  { name: "c", cidr: "10.1.3.0/24" },
];
const networks = {
  IPv4: { podSubnet: "10.244.0.0/16", serviceSubnet: "10.96.0.0/12" },
  IPv6: { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" },
};

test("two nodes and two clients are the walk-through's machines", () => {
  expect(shapeOf(usual).cluster).toEqual({ machines: WALK_THROUGH_MACHINES });
});

// The lab itself says whether a shape can be: addresses that are different, in their subnets, and of the right family.
test.each([
  ["flat", {}],
  ["with a router", { router: true }],
  ["with three subnets", { subnets: wide }],
  ["with IPv6 alone", { isIpv6Alone: true }],
  ["with IPv6 alone and a router", { isIpv6Alone: true, router: true }],
])("every number of machines %s is a lab that can be", (_, further) => {
  for (let nodes = 1; nodes <= MOST.nodes; nodes++)
    for (const clients of [1, 2, 7, MOST.clients]) {
      const asked: Asked = { ...usual, ...further, nodes, clients };
      const { cluster, controlPlane, serving, others } = shapeOf(asked);
      const families = asked.isIpv6Alone ? { ipFamilies: ["IPv6"], ...networks.IPv6 } : networks.IPv4;
      const document = { name: "test", kubernetesVersion: "v1.35.0", ...families, ...cluster };
      expect(labSchema.safeParse(document).error?.issues).toBeUndefined();
      expect(new Set([controlPlane, serving, ...others]).size).toBe(nodes);
      expect(cluster.machines.filter(({ role }) => role === MachineRole.Client)).toHaveLength(clients);
    }
});

test.each([
  [3, "", "a list of at least two subnets"],
  [[wide[0]], "", "a list of at least two subnets"],
  [[wide[0], null], "[1].cidr", "a network in quotes"],
  [[wide[0], { name: "b", cidr: "10.1.2.0/16" }], "[1].cidr", ""],
  [[wide[0], { name: "b", cidr: "10.1.2.1/24" }], "[1].cidr", "did you mean 10.1.2.0/24"],
])("subnets %j are refused at %s: %s", (subnets, path, allowed) => {
  expect(subnetsFault(subnets)).toMatchObject({ path, allowed: expect.stringContaining(allowed) });
});

test("a subnet without room for its machines is refused", () => {
  const small = [...wide.slice(0, 1), { name: "s", cidr: "10.1.2.0/29" }];
  expect(roomFault(small, { nodes: 5, clients: 4 })).toBeUndefined();
  expect(roomFault(small, { nodes: 8, clients: 4 })).toEqual({
    path: "[1].cidr",
    received: "10.1.2.0/29",
    allowed: "larger: 6 machines are to be in it, and it has room for 5",
  });
});
