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
    ["text that is no JSON", "{", "not a JSON document"],
    ["an unknown field", { ...good, size: 3 }, "size"],
    ["a lab name with '-', which would hide whose a machine is", { ...good, name: "a-b" }, "name: must be"],
    ["a version without v", { ...good, kubernetesVersion: "1.35.0" }, "kubernetesVersion: must be a version"],
    ["a subnet without length", { ...good, podSubnet: "10.244.0.0" }, "podSubnet: must be an IPv4 CIDR"],
    ["overlapping subnets", { ...good, podSubnet: "10.100.0.0/16" }, "podSubnet: 10.100.0.0/16 overlaps serviceSubnet"],
    ["a pod subnet on the machines' wire", { ...good, podSubnet: "172.31.0.0/16" }, "overlaps the machines' subnet"],
    ["no control plane", { ...good, machines: good.machines.slice(1) }, "exactly one must"],
    ["an unknown role", { ...good, machines: [{ ...good.machines[0], role: "boss" }] }, "machines.0.role"],
    [
      "two machines of one name",
      { ...good, machines: [good.machines[0], { ...good.machines[1], name: "master" }] },
      "names must differ",
    ],
    [
      "two machines of one address",
      { ...good, machines: [good.machines[0], { ...good.machines[1], address: "172.31.1.8" }] },
      "addresses must differ",
    ],
    [
      "an address off the wire",
      { ...good, machines: [{ ...good.machines[0], address: "10.0.0.1" }] },
      "must be in 172.31.1.1/24",
    ],
    [
      "the switch's own address",
      { ...good, machines: [{ ...good.machines[0], address: "172.31.1.1" }] },
      "not the switch itself",
    ],
    ["the switch's own name", { ...good, machines: [{ ...good.machines[0], name: "switch" }] }, "the lab's own"],
  ])("refuses %s", (_what, document, message) => {
    const failure = refusal(document);
    expect(failure).toBeInstanceOf(LabFailure);
    expect(failure.exitCode).toBe(2);
    expect(failure.message).toContain(message);
  });
});
