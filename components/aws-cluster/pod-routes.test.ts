import { expect, test } from "vitest";
import { VxlanMode } from "../ip-pool/args.ts";
import { AddressFamily } from "../machine/address-family.ts";
import { type Machine, MachineRole } from "../machine/machine.ts";
import { recordAws } from "../testing/aws.ts";
import { settled } from "../testing/program.ts";
import { type AwsClusterArgs, PodRouting } from "./args.ts";
import { AwsCluster } from "./component.ts";
import { cloudRoutePools, requirePodRouting } from "./pod-routes.ts";

const adminCidrs = ["203.0.113.7/32"];
const routed = { adminCidrs, podRouting: PodRouting.CloudRoutes };
const place = { component: 'AwsCluster "c"', path: "" };
const machine = (name: string, role: Machine["role"], last: number, podCidr?: string) => ({
  ...{ name, role, address: `172.31.1.${last}` },
  ...(podCidr && { podCidr }),
});
const machines = [
  machine("client", MachineRole.Client, 10),
  machine("one", MachineRole.ControlPlane, 11),
  machine("two", MachineRole.Worker, 12, "10.244.64.0/22"),
  machine("three", MachineRole.Worker, 13),
];

async function made(args: Partial<AwsClusterArgs>) {
  const program = await recordAws({ architecture: "x86_64" });
  new AwsCluster("c", { ...routed, ...args });
  await settled();
  return program.resources;
}

const routes = (resources: Awaited<ReturnType<typeof made>>) =>
  resources
    .filter(({ type, inputs }) => type === "aws:ec2/route:Route" && inputs.networkInterfaceId)
    .map(({ name, inputs }) => `${name}: ${inputs.destinationCidrBlock} to ${inputs.networkInterfaceId}`)
    .sort();

test("the VPC's table leads to each node's pods, and nodes may send with their addresses", async () => {
  const resources = await made({});
  expect(routes(resources)).toEqual([
    "c-pods-master: 10.244.0.0/24 to eni-c-master",
    "c-pods-node: 10.244.1.0/24 to eni-c-node",
  ]);
  const nodes = resources.filter(({ name }) => ["c-master", "c-node"].includes(name));
  expect(nodes.map(({ inputs }) => inputs.sourceDestCheck)).toEqual([false, false]);
  expect(resources.map(({ name }) => name)).toEqual(expect.arrayContaining(["c-nodes-pods", "c-nodes-node-pods"]));
});

test("each table of a VPC that exists gets the routes", async () => {
  const subnets = [{ cidr: "172.31.1.0/24", id: "subnet-1" }];
  const resources = await made({ vpcId: "vpc-1", subnets, routeTableIds: ["rtb-1", "rtb-2"] });
  const found = resources.filter(({ type }) => type === "aws:ec2/route:Route");
  expect(found.map(({ name, inputs }) => `${name} in ${inputs.routeTableId}`).sort()).toEqual([
    "c-pods-master in rtb-1",
    "c-pods-master-1 in rtb-2",
    "c-pods-node in rtb-1",
    "c-pods-node-1 in rtb-2",
  ]);
});

test("without CloudRoutes there is no route to pods", async () => {
  expect(routes(await made({ podRouting: PodRouting.Nodes }))).toEqual([]);
});

test("cloudRoutePools() gives each node the pool of its route", () => {
  expect(cloudRoutePools({ machines, podSubnet: "10.244.0.0/16" })).toEqual(
    [
      ["one", "10.244.0.0/24"],
      ["two", "10.244.64.0/22"],
      ["three", "10.244.2.0/24"],
    ].map(([node, cidr]) => ({
      ...{ name: `pods-${node}`, cidr, vxlanMode: "Never" },
      nodeSelector: `kubernetes.io/hostname == '${node}'`,
    })),
  );
  expect(cloudRoutePools().map(({ cidr }) => cidr)).toEqual(["10.244.0.0/24", "10.244.1.0/24"]);
});

const withBlocks = (...blocks: (string | undefined)[]) =>
  machines.map((one, index) => machine(one.name, one.role, 10 + index, blocks[index]));

test.each<[string, Partial<AwsClusterArgs>]>([
  ["ipFamilies", { ipFamilies: [AddressFamily.Ipv4, AddressFamily.Ipv6] }],
  ["vxlanMode", { vxlanMode: VxlanMode.CrossSubnet }],
  ["sourceDestCheck", { sourceDestCheck: true }],
  ["podSubnet", { podSubnet: Promise.resolve("10.244.0.0/16") }],
  ["podSubnet", { podSubnet: "10.244.0.0/24" }],
  ["routeTableIds", { vpcId: "vpc-1" }],
  ["routeTableIds", { routeTableIds: ["rtb-1"] }],
  ["routeTableIds", { vpcId: "vpc-1", routeTableIds: [] }],
  ["routeTableIds", { podRouting: PodRouting.Nodes, routeTableIds: ["rtb-1"] }],
  ["machines[1].podCidr", { podRouting: PodRouting.Nodes, machines: withBlocks(undefined, "10.244.9.0/24") }],
  ["machines[0].podCidr", { machines: withBlocks("10.244.9.0/24") }],
  ["machines[1].podCidr", { machines: withBlocks(undefined, "10.244.9.0/27") }],
  ["machines[1].podCidr", { machines: withBlocks(undefined, "10.245.0.0/24") }],
  ["machines[1].podCidr", { machines: withBlocks(undefined, "10.244.9.1/24") }],
  ["machines", { machines: withBlocks(undefined, undefined, "10.244.0.0/22") }],
])("%s that the VPC cannot route by is refused: %j", (field, args) => {
  expect(() => requirePodRouting(place, { ...routed, ...args })).toThrow(`AwsCluster "c": ${field} is`);
});
