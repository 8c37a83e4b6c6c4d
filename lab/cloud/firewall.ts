import { FAMILIES, type Family, readCidr } from "../../model/address/address.ts";
import { bridge, portName } from "../machines/switch.ts";
import type { CloudInstance, CloudSpec, Rule } from "./spec.ts";

type Route = CloudSpec["routes"][number];

/**
 * The nft(8) rules that do in the switch what EC2 does outside an instance: the source/destination check at the port of the switch,
 * and the security groups by address with connection tracking (answers to admitted packets are allowed). Loaded in one transaction.
 */
export function firewall(instances: CloudInstance[], routes: Route[] = []): string {
  return `
table bridge cloud
delete table bridge cloud
table bridge cloud {
  chain forward {
    type filter hook forward priority 0; policy accept;
${instances
  .filter(({ sourceDestCheck }) => sourceDestCheck)
  .flatMap(check)
  .map(indented)
  .join("\n")}
  }
}
${FAMILIES.map((family) => groups(family, instances, routes)).join("")}`;
}

/** What a family is called by nft(8), and its neighbor discovery, which EC2 lets pass; ARP is no IPv4. */
const WORDS = {
  IPv4: { table: "ip", icmp: "icmp", link: [] },
  IPv6: { table: "ip6", icmp: "icmpv6", link: ["icmpv6 type { 133, 134, 135, 136 } accept"] },
} as const;

/** The security groups over one family. */
function groups(family: Family, instances: CloudInstance[], routes: Route[]): string {
  const { table, link } = WORDS[family];
  const there = instances.filter((instance) => addressIn(family, instance) !== undefined);
  // A group holds at the interface, whatever address a packet is for.
  const routed = routes.filter(
    ({ cidr, instance }) => readCidr(cidr)?.family === family && there.some(({ name }) => name === instance),
  );
  const jumps = [
    ...there.map((one) => `${table} daddr ${addressIn(family, one)} jump in-${one.name}`),
    ...routed.map(({ cidr, instance }) => `${table} daddr ${cidr} jump in-${instance}`),
  ];
  return `table ${table} cloud
delete table ${table} cloud
table ${table} cloud {
${there.map((instance) => group(family, instance)).join("\n")}
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname != "${bridge}" accept
    ct state established,related accept
${[...link, ...jumps].map(indented).join("\n")}
  }
}
`;
}

const addressIn = (family: Family, { address, addressIpv6 }: CloudInstance): string | undefined =>
  family === "IPv4" ? address : addressIpv6;

function check({ name, address, addressIpv6 }: CloudInstance): string[] {
  const drop = (what: string) => `counter drop comment "${name}: ${what}"`;
  return [
    `iifname "${portName(name)}" ip saddr != ${address} ${drop("a source that is not its own")}`,
    `oifname "${portName(name)}" ip daddr != ${address} ${drop("a destination that is not its own")}`,
    ...(addressIpv6 === undefined
      ? []
      : [
          `iifname "${portName(name)}" ip6 saddr != { ::, fe80::/10, ${addressIpv6} } ${drop("a source that is not its own")}`,
          `oifname "${portName(name)}" ip6 daddr != { fe80::/10, ff00::/8, ${addressIpv6} } ${drop("a destination that is not its own")}`,
        ]),
  ];
}

function group(family: Family, { name, ingress }: CloudInstance): string {
  const others = WORDS[family === "IPv4" ? "IPv6" : "IPv4"].icmp;
  const rules = ingress
    .map((rule) => ({ ...rule, cidrs: rule.cidrs.filter((cidr) => readCidr(cidr)?.family === family) }))
    .filter(({ protocol, cidrs }) => cidrs.length > 0 && protocol !== others)
    .map((rule) => accept(family, rule));
  const refused = `counter drop comment "${name}: not allowed by its security groups"`;
  return [`  chain in-${name} {`, ...[...rules, refused].map(indented), "  }"].join("\n");
}

function accept(family: Family, { protocol, range, cidrs }: Rule): string {
  const { table, icmp } = WORDS[family];
  const from = `${table} saddr { ${[...new Set(cidrs)].join(", ")} }`;
  if (protocol === "all") return `${from} accept`;
  if (protocol === icmp) {
    return `${from} ${range ? `${icmp} type ${range[0]} ${icmp} code ${range[1]}` : `meta l4proto ${icmp}`} accept`;
  }
  return `${from} ${range ? `${protocol} dport ${range[0]}-${range[1]}` : `meta l4proto ${protocol}`} accept`;
}

function indented(line: string): string {
  return `    ${line}`;
}
