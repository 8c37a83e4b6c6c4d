import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Route } from "../compile/desired.ts";
import { attributesIn } from "../kernel/netlink-attributes.ts";
import type { NetworkDevice } from "./devices.ts";
import { ofPod } from "./link-requests.ts";
import { neighbourCommands } from "./neighbours.ts";
import { ownRequestCommands } from "./own-requests.ts";
import { routeCommands } from "./routes.ts";
import { applySysctls, forgetGone, nodeIpv6Sysctls, restoreSysctls, uplinkIpv6Sysctls } from "./sysctls.ts";
import { tunnelCommands } from "./tunnel.ts";
import { findUplinks } from "./uplinks.ts";
import { wireguardCommands } from "./wireguard.ts";

const device = (name: string, ...addresses: string[]): NetworkDevice => ({
  name,
  ifindex: 2,
  mtu: 1500,
  mac: "02:00:00:00:00:01",
  up: true,
  kind: "",
  addresses: addresses.map((address) => ({ address, prefixLength: 24 })),
});

describe("findUplinks()", () => {
  const devices = [
    device("lo", "127.0.0.1"),
    device("eth0", "172.31.1.8"),
    device("eth1", "192.168.7.2"),
    device("eth10"),
  ];

  test("takes the interface with the node's address", () => {
    const uplinks = findUplinks(devices, "172.31.1.8", []);
    expect(uplinks.all.map(({ name }) => name)).toEqual(["eth0"]);
    expect(uplinks.subnets).toEqual(["172.31.1.0/24"]);
  });

  test("adds those whose whole name matches", () => {
    expect(findUplinks(devices, "172.31.1.8", ["eth1"]).all.map(({ name }) => name)).toEqual(["eth0", "eth1"]);
    expect(findUplinks(devices, "172.31.1.8", ["eth.*"]).all.length).toBe(3);
  });

  test("lists what it found if no interface has the node's address", () => {
    expect(() => findUplinks(devices, "10.0.0.1", [])).toThrow(
      "has the node's address 10.0.0.1 (found: lo 127.0.0.1, eth0",
    );
  });
});

describe("routeCommands()", () => {
  const context = {
    nodeAddress: "172.31.1.8",
    mtu: 1500,
    deviceName: (index: number) => (index === 7 ? "ebpf0a" : undefined),
  };
  const desired: Route[] = [
    { to: "endpoint", destination: "10.244.0.5/32", ifindex: 7 },
    { to: "node", destination: "10.244.1.0/26", node: "172.31.1.207", encapsulated: false },
    { to: "node", destination: "10.244.2.0/26", node: "172.31.9.1", encapsulated: true },
    { to: "nowhere", destination: "10.244.0.0/26" },
  ];
  // As iproute2 6.1 prints them.
  const actual = [
    "default via 172.31.1.1 dev eth0",
    "unreachable 10.244.0.0/26 proto 235",
    "10.244.0.5 dev ebpf0a proto 235 scope link src 172.31.1.8",
    "10.244.1.0/26 via 172.31.1.207 dev eth0 proto 235 src 172.31.1.8",
    "10.244.2.0/26  encap ip id 4096 src 0.0.0.0 dst 172.31.9.1 ttl 0 tos 0 dev ebpf-vxlan proto 235 scope link src 172.31.1.8 mtu 1450",
    "172.31.1.0/24 dev eth0 proto kernel scope link src 172.31.1.8",
  ];

  test("writes nothing if everything exists", () => {
    expect(routeCommands(desired, actual, context)).toEqual({ commands: [], conflicts: [] });
  });

  test("keeps routes of others, reports them, and deletes its own routes that conflict with them", () => {
    const blocks: Route[] = [
      { to: "nowhere", destination: "172.31.1.0/24" },
      { to: "nowhere", destination: "0.0.0.0/0" },
      { to: "node", destination: "10.244.1.0/26", node: "172.31.1.207", encapsulated: false },
    ];
    const lines = [...actual, "10.244.1.0/26 via 172.31.1.9 dev eth0 proto static metric 100"];
    const { commands, conflicts } = routeCommands(blocks, lines, context);
    expect(commands).toEqual([
      "route delete 10.244.0.0/26 proto 235",
      "route delete 10.244.0.5 proto 235",
      "route delete 10.244.1.0/26 proto 235",
      "route delete 10.244.2.0/26 proto 235",
    ]);
    expect(conflicts.map(({ destination }) => destination)).toEqual(["172.31.1.0/24", "0.0.0.0/0", "10.244.1.0/26"]);
  });

  test("replaces routes that differ and deletes unwanted ones", () => {
    const other = [
      "10.244.1.0/26 via 172.31.1.9 dev eth0 proto 235 src 172.31.1.8",
      "10.244.0.9 dev ebpf0b proto 235 scope link",
      ...actual.slice(4),
    ];
    expect(routeCommands(desired, other, context).commands).toEqual([
      "route add 10.244.0.5 dev ebpf0a scope link src 172.31.1.8 proto 235",
      "route replace 10.244.1.0/26 via 172.31.1.207 src 172.31.1.8 proto 235",
      "route add unreachable 10.244.0.0/26 proto 235",
      "route delete 10.244.0.9 proto 235",
    ]);
  });

  test("omits an endpoint whose interface does not exist", () => {
    expect(routeCommands([{ to: "endpoint", destination: "10.244.0.6/32", ifindex: 8 }], [], context).commands).toEqual(
      [],
    );
  });
});

describe("tunnelCommands()", () => {
  const tunnel = { ...device("ebpf-vxlan"), kind: "vxlan" };

  test("creates the device once", () => {
    expect(tunnelCommands(undefined, 1500)).toEqual([
      "link add ebpf-vxlan type vxlan external dstport 4789 nolearning gbp",
      "address add 169.254.1.1/32 dev ebpf-vxlan scope link",
      "link set dev ebpf-vxlan mtu 1500 arp off up",
    ]);
    expect(tunnelCommands(tunnel, 1500)).toEqual([]);
  });

  test("follows the uplink's packet size", () => {
    expect(tunnelCommands(tunnel, 9000)).toEqual(["link set dev ebpf-vxlan mtu 9000 arp off up"]);
  });
});

describe("wireguardCommands()", () => {
  const wireguard = { ...device("ebpf-wireguard"), kind: "wireguard", mtu: 1440 };

  test("creates the device once, in place of another of its name", () => {
    const created = [
      "link add ebpf-wireguard type wireguard",
      "link set dev ebpf-wireguard addrgenmode none",
      "address add 169.254.1.2/32 dev ebpf-wireguard scope link",
      "link set dev ebpf-wireguard mtu 1440 up",
    ];
    expect(wireguardCommands(undefined, 1440)).toEqual(created);
    expect(wireguardCommands({ ...wireguard, kind: "veth" }, 1440)).toEqual([
      "link delete dev ebpf-wireguard",
      ...created,
    ]);
    expect(wireguardCommands(wireguard, 1440)).toEqual([]);
  });

  test("corrects its packet size, and sets it up again", () => {
    const set = ["link set dev ebpf-wireguard mtu 1340 up"];
    expect(wireguardCommands(wireguard, 1340)).toEqual(set);
    expect(wireguardCommands({ ...wireguard, mtu: 1340, up: false }, 1340)).toEqual(set);
  });
});

describe("ownRequestCommands()", () => {
  const context = { source: "172.31.1.8", mtu: 1450 };
  // As iproute2 6.1 prints them.
  const present = ["10.96.0.14 dev ebpf-vxlan proto 235 scope link src 172.31.1.8 mtu 1450 "].map((line) =>
    line.trim(),
  );
  const route = (to: string) => `route replace ${to} dev ebpf-vxlan src 172.31.1.8 mtu 1450 table 235 proto 235`;

  test("one route for each address, and none for others", () => {
    expect(ownRequestCommands(["10.96.0.14"], present, context)).toEqual([]);
    expect(ownRequestCommands(["10.96.0.15"], present, context)).toEqual([
      route("10.96.0.15"),
      "route delete 10.96.0.14 table 235",
    ]);
  });

  test("follows the node's address and the room in packets", () => {
    for (const [from, to] of [
      ["172.31.1.8", "172.31.1.88"],
      ["1450", "14500"],
      ["ebpf-vxlan", "eth0"],
    ] as const)
      expect(ownRequestCommands(["10.96.0.14"], [present.join().replace(from, to)], context)).toEqual([
        route("10.96.0.14"),
      ]);
  });
});

describe("IPv6 sysctls", () => {
  const root = mkdtempSync(join(tmpdir(), "sysctls-"));
  const memory = join(root, "memory.json");
  const path = (device: string, name: string) => join(root, "net/ipv6/conf", device, name);
  const value = (device: string, name: string) => readFileSync(path(device, name), "utf8");
  const add = (device: string, forwarding: string, acceptRa: string) => {
    mkdirSync(join(root, "net/ipv6/conf", device), { recursive: true });
    writeFileSync(path(device, "forwarding"), forwarding);
    writeFileSync(path(device, "accept_ra"), acceptRa);
  };
  const apply = (...devices: string[]) => [
    ...applySysctls(nodeIpv6Sysctls(root), memory, root),
    ...devices.flatMap((device) => applySysctls(uplinkIpv6Sysctls(device, root), memory, root)),
  ];
  afterAll(() => rmSync(root, { recursive: true }));

  test("what accepts router advertisements keeps accepting them, before anything is forwarded", () => {
    for (const device of ["all", "default", "eth0", "eth1"]) add(device, "0", "1");
    add("tun0", "1", "1"); // forwarded already, so it ignores router advertisements
    add("eth2", "0", "0");
    expect(apply("eth0")).toEqual([
      "net/ipv6/conf/eth0/accept_ra",
      "net/ipv6/conf/eth1/accept_ra",
      ...["eth0", "eth1", "eth2", "all"].map((device) => `net/ipv6/conf/${device}/forwarding`),
    ]);
    expect(["eth0", "eth1", "eth2", "tun0"].map((device) => value(device, "accept_ra"))).toEqual(["2", "2", "0", "1"]);
    expect(apply("eth0")).toEqual([]);
  });

  test("an uplink that appears later accepts them too; cleanup restores each device's own value after that of all", () => {
    add("eth9", "1", "1");
    expect(apply("eth0", "eth9")).toEqual(["net/ipv6/conf/eth9/accept_ra"]);
    restoreSysctls(memory, root);
    expect(["all", "eth0", "eth1", "eth2", "tun0", "eth9"].map((device) => value(device, "forwarding"))).toEqual([
      ..."0000",
      ..."11",
    ]);
    expect(["eth0", "eth1", "eth9"].map((device) => value(device, "accept_ra"))).toEqual(["1", "1", "1"]);
  });
});

test("a pod's interface is told nothing of IPv6 where the kernel does not know it", () => {
  const families = (hasIpv6: boolean) => {
    const [spec] = attributesIn(ofPod("ebpf1", 7, hasIpv6).body.subarray(16));
    return attributesIn(spec?.value ?? Buffer.alloc(0)).map(({ type }) => type);
  };
  expect([families(true), families(false)]).toEqual([[2, 10], [2]]); // AF_INET, AF_INET6
});

test("sysctls are set once and restored", () => {
  const root = mkdtempSync(join(tmpdir(), "sysctls-"));
  const memory = join(root, "memory.json");
  mkdirSync(join(root, "net/ipv4"), { recursive: true });
  const path = join(root, "net/ipv4/ip_forward");
  writeFileSync(path, "0\n");
  const wanted = new Map([["net/ipv4/ip_forward", "1"]]);
  expect(applySysctls(wanted, memory, root)).toEqual(["net/ipv4/ip_forward"]);
  expect(applySysctls(wanted, memory, root)).toEqual([]);
  expect(readFileSync(path, "utf8")).toBe("1");
  restoreSysctls(memory, root);
  expect(readFileSync(path, "utf8")).toBe("0");
  rmSync(root, { recursive: true });
});

test("the values of interfaces that are gone are forgotten, and those of the others restored", () => {
  const root = mkdtempSync(join(tmpdir(), "sysctls-"));
  const memory = join(root, "memory.json");
  const name = (of: string) => `net/ipv4/conf/${of}/rp_filter`;
  for (const of of ["eth0", "pod1", "pod2"]) {
    mkdirSync(join(root, "net/ipv4/conf", of), { recursive: true });
    writeFileSync(join(root, name(of)), "0");
    applySysctls(new Map([[name(of), "2"]]), memory, root);
  }
  forgetGone(memory, root);
  expect(Object.keys(JSON.parse(readFileSync(memory, "utf8")))).toEqual(["eth0", "pod1", "pod2"].map(name));
  rmSync(join(root, "net/ipv4/conf/pod1"), { recursive: true });
  forgetGone(memory, root);
  expect(Object.keys(JSON.parse(readFileSync(memory, "utf8")))).toEqual(["eth0", "pod2"].map(name));
  mkdirSync(join(root, "net/ipv4/conf/pod1"));
  writeFileSync(join(root, name("pod1")), "1"); // another interface, with a value of its own
  restoreSysctls(memory, root);
  expect(["eth0", "pod1", "pod2"].map((of) => readFileSync(join(root, name(of)), "utf8"))).toEqual(["0", "1", "0"]);
  rmSync(root, { recursive: true });
});

describe("neighbourCommands()", () => {
  const uplinks = findUplinks([device("eth0", "172.31.1.8"), device("eth1", "192.168.7.2")], "172.31.1.8", ["eth1"]);
  const towards = (...nodes: string[]): Route[] =>
    nodes.map((node) => ({ to: "node", destination: "10.244.1.0/26", node, encapsulated: false }));
  const ours = (dst: string, dev = "eth0") => ({ dst, dev, managed: null, protocol: "235", state: ["REACHABLE"] });

  test("keeps the nodes on each link resolved, and none behind a router", () => {
    expect(neighbourCommands(towards("172.31.1.207", "192.168.7.9", "10.9.0.4"), uplinks, [])).toEqual([
      "neighbour replace 172.31.1.207 dev eth0 managed protocol 235",
      "neighbour replace 192.168.7.9 dev eth1 managed protocol 235",
    ]);
  });

  test("writes nothing twice, and deletes entries of removed nodes, but not those of others", () => {
    const others = [
      { dst: "172.31.1.77", dev: "eth0", state: ["REACHABLE"] },
      { dst: "172.31.1.78", dev: "eth0", managed: null, protocol: "16", state: ["REACHABLE"] },
    ];
    expect(
      neighbourCommands(towards("172.31.1.207"), uplinks, [ours("172.31.1.207"), ours("172.31.1.9"), ...others]),
    ).toEqual(["neighbour delete 172.31.1.9 dev eth0"]);
  });

  test("keeps a node's addresses of both families resolved: its IPv4 address tells its workloads' frames", () => {
    const both = findUplinks([device("eth0", "172.31.1.8", "fd00:172:31:1::8")], "172.31.1.8", []);
    const via = "fd00:172:31:1::207";
    const route: Route = { to: "node", destination: "fd00::40/122", node: "172.31.1.207", encapsulated: false, via };
    expect(neighbourCommands([route], both, [])).toEqual([
      "neighbour replace 172.31.1.207 dev eth0 managed protocol 235",
      "neighbour replace fd00:172:31:1::207 dev eth0 managed protocol 235",
    ]);
  });

  test("does not change static entries: replacing one would lose its hardware address", () => {
    const fixed = { dst: "172.31.1.207", dev: "eth0", state: ["PERMANENT"] };
    expect(neighbourCommands(towards("172.31.1.207"), uplinks, [fixed])).toEqual([]);
  });
});
