import { expect, test } from "vitest";
import { MachineRole } from "../machine/machine.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import { requireOffered } from "./offerings.ts";
import type { AwsSubnet } from "./subnet.ts";

const place = argumentsOf("AwsCluster", "c");
const machine = (name: string, address: string, instanceType: string) => ({
  name,
  address,
  instanceType,
  role: MachineRole.Worker,
});
const nodes = [machine("node", "172.31.1.207", "t3.medium")];
const [a, b, c] = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
const check = (zones: Record<string, string[]>, subnet: Partial<AwsSubnet> = {}, machines = nodes) =>
  requireOffered(place, new Map(Object.entries(zones)), machines, [{ cidr: "172.31.1.0/24", ...subnet }]);

test("a type that is to be had wherever the machine may be put is taken", () => {
  expect(() => check({ "t3.medium": [a, b] })).not.toThrow();
  expect(() => check({ "t3.medium": [a, b] }, { zone: b })).not.toThrow();
  expect(() => check({ "t3.medium": [a], other: [b] }, { id: "subnet-1" })).not.toThrow();
});

test("a type that is nowhere to be had is refused", () => {
  expect(() => check({ "t3.medium": [] })).toThrow(
    'AwsCluster "c": machines["node"].instanceType is "t3.medium", but must be a type that AWS has in this region.',
  );
});

test("a type that is missing in the zone of its subnet is refused, with where it is", () => {
  expect(() => check({ "t3.medium": [a, b] }, { zone: c })).toThrow(
    "a type that AWS has in eu-central-1c, the zone of its subnet; zones that offer it: eu-central-1a, eu-central-1b",
  );
});

test("where AWS would choose a zone, and could choose a wrong one, a zone must be named", () => {
  const machines = [...nodes, machine("arm", "172.31.1.9", "m7g.large")];
  expect(() => check({ "t3.medium": [a, b, c], "m7g.large": [a, b] }, {}, machines)).toThrow(
    'subnets[0].zone is undefined, but must be "eu-central-1a" or "eu-central-1b": AWS has m7g.large, the type of "arm", in no other zone',
  );
});
