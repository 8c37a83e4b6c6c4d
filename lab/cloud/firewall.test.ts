import { expect, test } from "vitest";
import { countedDrops } from "./drops.ts";
import { firewall } from "./firewall.ts";
import type { CloudInstance } from "./spec.ts";

const node: CloudInstance = {
  name: "node",
  address: "172.31.1.207",
  sourceDestCheck: false,
  ingress: [
    { protocol: "udp", range: [4789, 4789], cidrs: ["172.31.1.8/32", "172.31.1.207/32"] },
    { protocol: "all", cidrs: ["10.244.0.0/16"] },
    { protocol: "icmp", range: [3, 4], cidrs: ["172.31.0.0/16"] },
    { protocol: "tcp", range: [30000, 32767], cidrs: [] }, // a group without members
  ],
};
const client: CloudInstance = { name: "client1", address: "172.31.1.55", sourceDestCheck: true, ingress: [] };

test("a group holds for what the VPC routes to its instance, whatever address that has", () => {
  const routes = [
    { cidr: "10.244.1.0/24", instance: "node" },
    { cidr: "10.244.2.0/24", instance: "gone" },
  ];
  expect(firewall([node, client], routes)).toContain("    ip daddr 10.244.1.0/24 jump in-node\n");
  expect(firewall([node, client], routes)).not.toContain("10.244.2.0/24");
});

test("groups admit what they list, and answers", () => {
  expect(firewall([node, client]).split("table ip cloud {")[1]?.split("table ip6")[0]).toBe(`
  chain in-node {
    ip saddr { 172.31.1.8/32, 172.31.1.207/32 } udp dport 4789-4789 accept
    ip saddr { 10.244.0.0/16 } accept
    ip saddr { 172.31.0.0/16 } icmp type 3 icmp code 4 accept
    counter drop comment "node: not allowed by its security groups"
  }
  chain in-client1 {
    counter drop comment "client1: not allowed by its security groups"
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname != "switch" accept
    ct state established,related accept
    ip daddr 172.31.1.207 jump in-node
    ip daddr 172.31.1.55 jump in-client1
  }
}
`);
});

test("over IPv6 groups admit their IPv6 networks, answers, and what a link needs", () => {
  const both: CloudInstance = {
    ...node,
    addressIpv6: "fd00:172:31:1::207",
    ingress: [
      { protocol: "tcp", range: [30000, 32767], cidrs: ["172.31.1.55/32", "fd00:172:31:1::55/128"] },
      { protocol: "icmpv6", range: [2, 0], cidrs: ["::/0"] },
      { protocol: "icmp", range: [3, 4], cidrs: ["172.31.0.0/16"] },
    ],
  };
  expect(firewall([both, client]).split("table ip6 cloud {")[1]).toBe(`
  chain in-node {
    ip6 saddr { fd00:172:31:1::55/128 } tcp dport 30000-32767 accept
    ip6 saddr { ::/0 } icmpv6 type 2 icmpv6 code 0 accept
    counter drop comment "node: not allowed by its security groups"
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname != "switch" accept
    ct state established,related accept
    icmpv6 type { 133, 134, 135, 136 } accept
    ip6 daddr fd00:172:31:1::207 jump in-node
  }
}
`);
  const checked = firewall([{ ...both, sourceDestCheck: true }]);
  expect(checked).toContain('iifname "to-node" ip6 saddr != { ::, fe80::/10, fd00:172:31:1::207 } counter drop');
  expect(checked).toContain('oifname "to-node" ip6 daddr != { fe80::/10, ff00::/8, fd00:172:31:1::207 } counter drop');
});

test("the source/destination check applies to instances that enable it", () => {
  const rules = firewall([node, client]);
  expect(rules).toContain('iifname "to-client1" ip saddr != 172.31.1.55 counter drop');
  expect(rules).toContain('oifname "to-client1" ip daddr != 172.31.1.55 counter drop');
  expect(rules).not.toContain('"to-node"');
});

test("dropped packets are reported with their reason, most frequent first", () => {
  const listing = `
    iifname "to-node" ip saddr != 172.31.1.207 counter packets 3 bytes 180 drop comment "node: a source that is not its own"
    counter packets 0 bytes 0 drop comment "client1: not allowed by its security groups"
    counter packets 7 bytes 420 drop comment "node: not allowed by its security groups"`;
  expect(countedDrops(listing)).toEqual([
    "7 packets: node: not allowed by its security groups",
    "3 packets: node: a source that is not its own",
  ]);
});
