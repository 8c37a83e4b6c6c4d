import { expect, test } from "vitest";
import { costInWords, costOf } from "./cost.ts";
import { service } from "./testing/objects.ts";
import { object, resource, urnOf } from "./testing/stack.ts";

const subnet = resource("aws:ec2/subnet:Subnet", "a", { availabilityZone: "eu-central-1a" });
const instance = (name: string, inputs: object = {}) =>
  resource(
    "aws:ec2/instance:Instance",
    name,
    { instanceType: "t3.medium", rootBlockDevice: { volumeSize: 20, volumeType: "gp3" }, ...inputs },
    { references: { subnetId: [urnOf("aws:ec2/subnet:Subnet", "a")] } },
  );

const told = (...resources: Parameters<typeof costOf>[0]) =>
  costOf(resources).map((item) => `${item.what}: ${costInWords(item)}`);

test("counts resources with a cost, one entry per kind, independent of their order", () => {
  const spot = { instanceMarketOptions: { marketType: "spot" } };
  const stack = [
    resource("aws:ec2/natGateway:NatGateway", "way-out"),
    subnet,
    instance("one", { associatePublicIpAddress: true }),
    instance("two", spot),
    instance("three", { ...spot, ebsBlockDevices: [{ volumeSize: 100, volumeType: "gp3" }] }),
    resource("aws:ec2/eip:Eip", "address"),
    resource("aws:ebs/volume:Volume", "data", { size: 5, type: "gp3" }),
    resource("aws:lb/loadBalancer:LoadBalancer", "front", { loadBalancerType: "network" }),
    resource("aws:lb/loadBalancer:LoadBalancer", "web"),
    object(service("nginx", { type: "LoadBalancer" })),
  ];
  const expected = [
    "instances: 2 × t3.medium, spot, eu-central-1a",
    "volumes: 5 × gp3, 165 GiB together",
    "addresses: 1 × elastic",
    "addresses: 1 × public",
    "NAT gateways: 1 × NAT gateway",
    "load balancers: 1 × application",
    "load balancers: 1 × network",
    "load balancers: 1 × of Services, created by the cluster's cloud controller",
  ];
  expect(told(...stack)).toEqual(["instances: 1 × t3.medium, eu-central-1a", ...expected]);
  expect(told(...[...stack].reverse())).toEqual(told(...stack));
});

test("deleted resources cost nothing, and a disk without a size has the image's size", () => {
  expect(told({ ...instance("gone"), change: "delete" })).toEqual([]);
  expect(told(instance("small", { rootBlockDevice: undefined }))[1]).toBe("volumes: 1 × gp2, as large as the image");
});
