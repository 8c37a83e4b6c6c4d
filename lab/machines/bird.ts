import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gatewayOf, type LabSubnet, subnetIpv6 } from "../../components/documents/lab-network.ts";
import { isIpv6 } from "../../components/rules/addresses.ts";
import { LabFailure } from "../failure.ts";
import { attempt } from "./command.ts";

/** The router's autonomous system, of those for documentation (RFC 5398); machines that speak BGP have another one. */
const ROUTER_AS = 64500;

/** @throws LabFailure if this host lacks the routing daemon of a router. */
export async function requireBird(): Promise<void> {
  const found = await attempt(["sh", "-c", "command -v bird"]);
  if (found.status !== 0)
    throw new LabFailure("this host lacks bird, the routing daemon of a machine with the role router", {
      next: "run 'tools/bootstrap' in the checkout, or install the package bird2 without starting its service",
    });
}

/**
 * BIRD's configuration on a router: any machine of its subnets may open a BGP session, of either address family or both. What is
 * learned is put into the kernel, several next hops of a network side by side, and announced to the other machines.
 */
export function birdConfiguration(subnets: LabSubnet[]): string {
  const learned = "export where source = RTS_BGP;";
  const peers = subnets.flatMap((subnet, index) => [
    ...(isIpv6(subnet.cidr) ? [] : [peersIn(`subnet${index}_ipv4_`, subnet.cidr)]),
    peersIn(`subnet${index}_ipv6_`, subnetIpv6(subnet)),
  ]);
  const gateway = gatewayOf(subnets[0]?.cidr as string);
  // A number in the form of an IPv4 address (RFC 6286), of a router with IPv6 alone too.
  const id = isIpv6(gateway) ? "0.0.0.1" : gateway;
  return `# Written by the lab. Further files in /etc/bird/local are read too: 'lab exec LAB ROUTER -- birdc configure'.
log stderr all;
router id ${id};
protocol device {}
protocol kernel kernel_ipv4 { merge paths on; ipv4 { import none; ${learned} }; }
protocol kernel kernel_ipv6 { merge paths on; ipv6 { import none; ${learned} }; }
template bgp machines {
  local as ${ROUTER_AS};
  ipv4 { import all; ${learned} };
  ipv6 { import all; ${learned} };
}
${peers.join("\n")}
include "/etc/bird/local/*.conf";
`;
}

function peersIn(prefix: string, network: string): string {
  return `protocol bgp ${prefix}any from machines { neighbor range ${network} external; dynamic name "${prefix}"; }`;
}

/** Writes a router's configuration to its disk. */
export async function writeBirdConfiguration(disk: string, subnets: LabSubnet[]): Promise<void> {
  await mkdir(join(disk, "etc/bird/local"), { recursive: true });
  await writeFile(join(disk, "etc/bird/bird.conf"), birdConfiguration(subnets));
}
