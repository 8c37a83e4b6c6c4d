import { expect, test } from "vitest";
import { compileUplinks } from "./uplinks.ts";

const facts = {
  ...{ nodeName: "master", address: "172.31.1.8", addressIpv6: "fd00::8", serviceSubnet: "10.96.0.0/12" },
  ...{ subnets: [], localAddresses: [], uplinkIfindex: 2, tunnelIfindex: 9 },
};

test("the node's own address where an uplink has it, else the first of each family, or none", () => {
  const uplinks = [
    { name: "eth0", ifindex: 2, addresses: ["172.31.1.9", "172.31.1.8", "fd00::9", "fd00::8"] },
    { name: "eth1", ifindex: 3, addresses: ["192.0.2.8", "192.0.2.9"] },
    { name: "eth2", ifindex: 4, addresses: [] },
  ];
  expect(compileUplinks({ ...facts, uplinks }).flatMap(({ entries }) => [...entries])).toEqual([
    { key: 2, value: { ipv4: "172.31.1.8", ipv6: "fd00::8" } },
    { key: 3, value: { ipv4: "192.0.2.8", ipv6: "::" } },
    { key: 4, value: { ipv4: "::", ipv6: "::" } },
  ]);
  expect(compileUplinks(facts)).toEqual([]);
});
