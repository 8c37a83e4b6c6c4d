import { bridge, portName } from "../machines/network.ts";
import type { CloudInstance, Rule } from "./spec.ts";

/**
 * The nft(8) rules that do in the switch what EC2 does outside an instance: the source/destination check at the port of the switch,
 * and the security groups by address with connection tracking (answers to admitted packets are allowed). Loaded in one transaction.
 */
export function firewall(instances: CloudInstance[]): string {
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
table ip cloud
delete table ip cloud
table ip cloud {
${instances.map(group).join("\n")}
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname != "${bridge}" accept
    ct state established,related accept
${instances.map(({ address, name }) => indented(`ip daddr ${address} jump in-${name}`)).join("\n")}
  }
}
`;
}

function check({ name, address }: CloudInstance): string[] {
  const drop = (what: string) => `counter drop comment "${name}: ${what}"`;
  return [
    `iifname "${portName(name)}" ip saddr != ${address} ${drop("a source that is not its own")}`,
    `oifname "${portName(name)}" ip daddr != ${address} ${drop("a destination that is not its own")}`,
  ];
}

function group({ name, ingress }: CloudInstance): string {
  const rules = ingress.filter(({ cidrs }) => cidrs.length > 0).map(accept);
  const refused = `counter drop comment "${name}: not allowed by its security groups"`;
  return [`  chain in-${name} {`, ...[...rules, refused].map(indented), "  }"].join("\n");
}

function accept({ protocol, range, cidrs }: Rule): string {
  const from = `ip saddr { ${[...new Set(cidrs)].join(", ")} }`;
  if (protocol === "all") return `${from} accept`;
  if (protocol === "icmp")
    return `${from} ${range ? `icmp type ${range[0]} icmp code ${range[1]}` : "ip protocol icmp"} accept`;
  return `${from} ${range ? `${protocol} dport ${range[0]}-${range[1]}` : `ip protocol ${protocol}`} accept`;
}

function indented(line: string): string {
  return `    ${line}`;
}
