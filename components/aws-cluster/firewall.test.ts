import { expect, test } from "vitest";
import { IpipMode, VxlanMode } from "../ip-pool/args.ts";
import { WorldAccess } from "./args.ts";
import { type Opening, openings } from "./firewall.ts";

const networks = { podSubnet: "10.244.0.0/16", vpcCidr: "172.31.0.0/16" };

/** `group: protocol/ports from peers`, as a person would read the console. */
const words = ({ group, ipProtocol, fromPort, toPort, peers, cidrIpv4, cidrIpv6 }: Opening) =>
  `${group}: ${ipProtocol === "-1" ? "all" : [ipProtocol, fromPort === undefined ? [] : `${fromPort}-${toPort}`].flat().join("/")} from ${peers ?? cidrIpv4 ?? cidrIpv6}`;

test("what is let in, and nothing more", () => {
  const all = openings({ ...networks, adminCidrs: ["203.0.113.7/32"] });
  expect(all.map(words)).toEqual([
    "control-plane: tcp/6443-6443 from nodes",
    "control-plane: tcp/6443-6443 from 203.0.113.7/32",
    "nodes: udp/4789-4789 from nodes",
    "nodes: tcp/10250-10250 from nodes",
    "nodes: all from nodes",
    "nodes: all from 10.244.0.0/16",
    "nodes: tcp/30000-32767 from clients",
    "nodes: udp/30000-32767 from clients",
    "nodes: icmp/3-4 from 172.31.0.0/16",
    "clients: icmp/3-4 from 172.31.0.0/16",
  ]);
});

test("what a dual-stack cluster lets in besides", () => {
  const nodePortCidrs = ["198.51.100.0/24", "2001:db8::/32"];
  const both = { ...networks, podSubnetIpv6: "fd00:10:244::/56", adminCidrs: [], nodePortCidrs };
  const { podSubnetIpv6: _, ...alone } = { ...both, nodePortCidrs: ["198.51.100.0/24"] };
  const known = openings(alone).map(words);
  expect(
    openings(both)
      .map(words)
      .filter((opening) => !known.includes(opening)),
  ).toEqual([
    "nodes: all from fd00:10:244::/56",
    "nodes: tcp/30000-32767 from 2001:db8::/32",
    "nodes: udp/30000-32767 from 2001:db8::/32",
    "nodes: icmpv6/2-0 from ::/0",
    "clients: icmpv6/2-0 from ::/0",
  ]);
});

test("with every packet in the tunnel, pods' addresses are not let in", () => {
  const all = openings({ ...networks, adminCidrs: [], vxlanMode: VxlanMode.Always });
  expect(all.map(words)).not.toContain("nodes: all from 10.244.0.0/16");
});

test("nodes can encrypt what they send each other, whatever is wrapped", () => {
  const lets = (args: object) => openings({ ...networks, adminCidrs: [], ...args }).map(words);
  const wireguard = "nodes: udp/51820-51820 from nodes";
  expect(lets({ vxlanMode: VxlanMode.Always })).toContain(wireguard);
  expect(lets({ ipipMode: IpipMode.Always })).toContain(wireguard);
  for (const args of [{}, { ipipMode: IpipMode.Always, podSubnetIpv6: "fd00:10:244::/56" }]) {
    expect(lets(args)).toContain("nodes: all from nodes");
    expect(lets(args)).not.toContain(wireguard);
  }
});

test("IPIP needs its protocol between nodes beside VXLAN, and pods' addresses where it does not wrap all", () => {
  const args = { ...networks, adminCidrs: [] };
  const opened = (ipipMode: IpipMode, more = {}) => openings({ ...args, ipipMode, ...more }).map(words);
  const always = opened(IpipMode.Always);
  expect(always).toContain("nodes: 4 from nodes");
  expect(always).toContain("nodes: udp/4789-4789 from nodes");
  expect(always).not.toContain("nodes: all from 10.244.0.0/16");
  expect(opened(IpipMode.CrossSubnet)).toContain("nodes: all from 10.244.0.0/16");
  expect(opened(IpipMode.Always, { podSubnetIpv6: "fd00:10:244::/56" })).toContain("nodes: all from fd00:10:244::/56");
  expect(opened(IpipMode.Never)).toEqual(openings(args).map(words));
});

test("who may say that the world comes in", () => {
  const ssh = { publicKey: "ssh-ed25519 A", cidrs: ["198.51.100.0/24"] };
  const all = openings({ ...networks, adminCidrs: ["1.2.3.4/32"], nodePortCidrs: ["5.6.7.8/32"], ssh });
  expect(all.flatMap(({ name, world }) => (world ? [`${name} ${world}`] : []))).toEqual([
    `api-admin-0 ${WorldAccess.ApiServer}`,
    `node-ports-tcp-0 ${WorldAccess.NodePorts}`,
    `node-ports-udp-0 ${WorldAccess.NodePorts}`,
    `ssh-0 ${WorldAccess.Ssh}`,
    `ssh-0 ${WorldAccess.Ssh}`,
  ]);
});
