import { describe, expect, it } from "vitest";
import { LabFailure } from "./failure.ts";
import { parseSpec } from "./spec.ts";

const good = {
  name: "local",
  kubernetesVersion: "v1.35.0",
  podSubnet: "10.244.0.0/16",
  serviceSubnet: "10.96.0.0/12",
  machines: [
    { name: "master", role: "control-plane", address: "172.31.1.8" },
    { name: "client1", role: "client", address: "172.31.1.55" },
  ],
};

const refusal = (document: unknown): LabFailure => {
  try {
    parseSpec(typeof document === "string" ? document : JSON.stringify(document));
  } catch (error) {
    return error as LabFailure;
  }
  throw new Error("the specification was accepted");
};

describe("parseSpec()", () => {
  it("accepts a lab and fills in its defaults", () => {
    expect(parseSpec(JSON.stringify(good)).images).toEqual([]);
  });

  it.each([
    ["text that is not JSON", "{", "not a JSON document"],
    ["an unknown field", { ...good, size: 3 }, "size"],
    [
      "a lab name with '-', which would make the owner of a machine ambiguous",
      { ...good, name: "a-b" },
      'name is "a-b", but must be',
    ],
    [
      "a version without v",
      { ...good, kubernetesVersion: "1.35.0" },
      'kubernetesVersion is "1.35.0", but must be a release like "v1.35.0"',
    ],
    ["a subnet without length", { ...good, podSubnet: "10.244.0.0" }, "must be a network with its prefix length"],
    [
      "overlapping subnets",
      { ...good, podSubnet: "10.100.0.0/16" },
      'podSubnet is "10.100.0.0/16", but must be apart from serviceSubnet 10.96.0.0/12',
    ],
    [
      "a pod subnet in the machines' network",
      { ...good, podSubnet: "172.31.0.0/16" },
      "apart from the machines' network 172.31.1.0/24",
    ],
    ["no control plane", { ...good, machines: good.machines.slice(1) }, "exactly one machine of the role"],
    ["an unknown role", { ...good, machines: [{ ...good.machines[0], role: "boss" }] }, "machines[0].role"],
    [
      "two machines with one name",
      { ...good, machines: [good.machines[0], { ...good.machines[1], name: "master" }] },
      "different from machines[0].name",
    ],
    [
      "two machines with one address",
      { ...good, machines: [good.machines[0], { ...good.machines[1], address: "172.31.1.8" }] },
      "different from machines[0].address",
    ],
    [
      "an address outside the machines' network",
      { ...good, machines: [{ ...good.machines[0], address: "10.0.0.1" }] },
      "from 172.31.1.2 to 172.31.1.254",
    ],
    [
      "the switch's own address",
      { ...good, machines: [{ ...good.machines[0], address: "172.31.1.1" }] },
      "from 172.31.1.2 to 172.31.1.254",
    ],
    [
      "an IPv6 address outside the machines' network",
      { ...good, machines: [{ ...good.machines[0], addressIpv6: "fd00::8" }] },
      "in the machines' network fd00:172:31:1::/64, from fd00:172:31:1::2",
    ],
    [
      "the switch's own IPv6 address",
      { ...good, machines: [{ ...good.machines[0], addressIpv6: "fd00:172:31:1::1" }] },
      "from fd00:172:31:1::2",
    ],
    [
      "an IPv6 address that is not written in its shortest form",
      { ...good, machines: [{ ...good.machines[0], addressIpv6: "fd00:172:31:1:0:0:0:8" }] },
      "did you mean fd00:172:31:1::8?",
    ],
    [
      "an IPv6 address that another machine has by its IPv4 address",
      { ...good, machines: [{ ...good.machines[0], addressIpv6: "fd00:172:31:1::55" }, good.machines[1]] },
      "machines[1].addressIpv6 is missing, but must be different from machines[0].addressIpv6",
    ],
    ["the switch's own name", { ...good, machines: [{ ...good.machines[0], name: "switch" }] }, "the lab's own"],
  ])("refuses %s", (_what, document, message) => {
    const failure = refusal(document);
    expect(failure).toBeInstanceOf(LabFailure);
    expect(failure.exitCode).toBe(2);
    expect(failure.message).toContain(message);
  });
});
