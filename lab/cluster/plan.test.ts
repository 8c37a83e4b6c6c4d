import { describe, expect, it } from "vitest";
import { parseSpec } from "../spec.ts";
import { type Observation, planUp, unchangeable } from "./plan.ts";

const master = { name: "master", role: "control-plane", address: "172.31.1.8" };
const node = { name: "node", role: "worker", address: "172.31.1.207" };
const client = { name: "client1", role: "client", address: "172.31.1.55" };

const lab = (machines: object[] = [master, node, client], more: object = {}) =>
  parseSpec(
    JSON.stringify({
      name: "lab",
      kubernetesVersion: "v1.35.0",
      podSubnet: "10.244.0.0/16",
      serviceSubnet: "10.96.0.0/12",
      machines,
      ...more,
    }),
  );

const healthy: Observation = {
  known: lab(),
  remains: true,
  running: new Set(["master", "node", "client1"]),
  bootstrapped: new Set(["master", "node"]),
};

describe("planUp()", () => {
  it("does nothing when the lab exists", () => {
    expect(planUp(healthy, lab())).toEqual({ startOver: undefined, remove: [], wipe: [], boot: [], bootstrap: [] });
  });

  it("does nothing when a machine is given the IPv6 address that it already has", () => {
    const given = lab([{ ...master, addressIpv6: "fd00:172:31:1::8" }, node, client]);
    expect(unchangeable(lab(), given)).toEqual([]);
    expect(planUp(healthy, given).boot).toEqual([]);
  });

  it("refuses other subnets, another router and another link of a node, and reconnects a client with another link", () => {
    const router = { name: "router", role: "router", address: "172.31.1.1" };
    const subnets = [{ name: "west", cidr: "172.31.1.0/24" }];
    const routed = (machines: object[] = [], mtu = 1400) =>
      lab([master, node, ...machines], { subnets: [{ ...subnets[0], link: { mtu } }] });
    expect(unchangeable(lab(), routed())).toEqual([expect.stringMatching(/^subnets: none -> .*"mtu":1400/)]);
    expect(unchangeable(routed([client]), routed([client], 1300))).toHaveLength(1);
    expect(unchangeable(routed(), routed([router]))).toEqual([expect.stringContaining('-> {"name":"west"')]);
    const narrow = { ...client, link: { mtu: 1300 } };
    expect(unchangeable(lab(), lab([master, { ...node, link: { mtu: 1300 } }]))).toEqual([
      'machine node: worker 172.31.1.207 -> worker 172.31.1.207 {"mtu":1300}',
    ]);
    expect(planUp(healthy, lab([master, node, narrow]))).toMatchObject({
      remove: [{ name: "client1" }],
      boot: ["client1"],
    });
  });

  it("refuses other families, and another first one", () => {
    const ipv6 = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };
    const both = { ...lab(), ...ipv6 };
    expect(unchangeable(both, { ...both, ipFamilies: ["IPv4", "IPv6"] })).toEqual([]);
    expect(unchangeable(both, { ...both, ipFamilies: ["IPv6", "IPv4"] })).toEqual([
      "ipFamilies: IPv4, IPv6 -> IPv6, IPv4",
    ]);
    expect(unchangeable(lab(), both)).toContain("ipFamilies: IPv4 -> IPv4, IPv6");
  });

  it("boots a client again whose IPv6 address changed, and refuses that of a node", () => {
    const moved = lab([master, node, { ...client, addressIpv6: "fd00:172:31:1::9" }]);
    expect(planUp(healthy, moved)).toMatchObject({ remove: [client], boot: ["client1"] });
    expect(unchangeable(lab(), lab([master, { ...node, addressIpv6: "fd00:172:31:1::9" }, client]))).toEqual([
      "machine node: worker 172.31.1.207 -> worker 172.31.1.207 fd00:172:31:1::9",
    ]);
  });

  it("creates everything when nothing exists", () => {
    const nothing = { known: undefined, remains: false, running: new Set<string>(), bootstrapped: new Set<string>() };
    const plan = planUp(nothing, lab());
    expect(plan).toMatchObject({
      startOver: undefined,
      boot: ["master", "node", "client1"],
      bootstrap: ["master", "node"],
    });
  });

  it("removes unrecorded leftovers before it creates everything", () => {
    const plan = planUp({ ...healthy, known: undefined }, lab());
    expect(plan.startOver).toContain("interrupted");
    expect(plan.boot).toEqual(["master", "node", "client1"]);
  });

  it("starts over when the control plane is incomplete", () => {
    const plan = planUp({ ...healthy, bootstrapped: new Set(["node"]) }, lab());
    expect(plan.startOver).toContain("control plane");
    expect(plan.bootstrap).toEqual(["master", "node"]);
  });

  it("re-creates an incomplete worker and leaves the rest running", () => {
    const plan = planUp({ ...healthy, bootstrapped: new Set(["master"]) }, lab());
    expect(plan).toMatchObject({ startOver: undefined, wipe: ["node"], boot: ["node"], bootstrap: ["node"] });
  });

  it("boots a machine that died, with its existing disk", () => {
    const plan = planUp({ ...healthy, running: new Set(["node", "client1"]) }, lab());
    expect(plan).toMatchObject({ wipe: [], boot: ["master"], bootstrap: [] });
  });

  it("adds, moves and removes clients of a running lab", () => {
    const moved = { ...client, address: "172.31.1.56" };
    const added = { name: "client2", role: "client", address: "172.31.1.162" };
    const plan = planUp(healthy, lab([master, node, moved, added]));
    expect(plan.remove.map(({ name }) => name)).toEqual(["client1"]);
    expect(plan.boot).toEqual(["client1", "client2"]);
    expect(planUp(healthy, lab([master, node])).remove.map(({ name }) => name)).toEqual(["client1"]);
  });
});

describe("unchangeable()", () => {
  it("finds nothing between equal labs and labs with other clients or fewer workers", () => {
    expect(unchangeable(lab(), lab([master]))).toEqual([]);
  });

  it("names every field with its old and new value", () => {
    const other = lab([{ ...master, address: "172.31.1.9" }, node], { podSubnet: "10.250.0.0/16" });
    expect(unchangeable(lab(), other)).toEqual([
      "podSubnet: 10.244.0.0/16 -> 10.250.0.0/16",
      "machine master: control-plane 172.31.1.8 -> control-plane 172.31.1.9",
    ]);
  });

  it("refuses another control plane", () => {
    expect(unchangeable(lab(), lab([{ ...master, name: "boss" }, node]))).toEqual(["control plane: master -> boss"]);
  });
});
