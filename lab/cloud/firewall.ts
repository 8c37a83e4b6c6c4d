import { bridge, portName } from "../machines/network.ts";
import type { CloudInstance, Rule } from "./spec.ts";

/**
 * The rules of nft(8) that do in the switch what EC2 does outside of an instance: the source/destination check by the port of the
 * switch, the security groups by address and with connection tracking (what was let in may be answered). Loaded whole, at once.
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
  const refused = `counter drop comment "${name}: no rule of its security groups"`;
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
