import { type Cidr, covers, parseCidr } from "../../model/address/address.ts";
import type { FelixConfiguration } from "../../model/objects/calico.ts";
import { type SourceRange, TUNNEL_CLIENTS } from "../kernel/layout.gen.ts";
import { coversMappedIPv4 } from "./addresses.ts";
import type { Contributions, Entry } from "./desired.ts";

/** The ranges of all services, and the clients whose replies never return directly. */
export function withTunnelClients(
  ofServices: Contributions<SourceRange, number>,
  configuration: FelixConfiguration | undefined,
): Contributions<SourceRange, number> {
  if (!hasTunnelClients(configuration)) return ofServices;
  return [...ofServices, { owner: "FelixConfiguration default", entries: tunnelClients(configuration) }];
}

/** Whether there are any: otherwise the packet path does not look for them. */
export function hasTunnelClients(configuration: FelixConfiguration | undefined): boolean {
  return (configuration?.spec.bpfDSROptoutCIDRs?.length ?? 0) > 0;
}

function tunnelClients(configuration: FelixConfiguration | undefined): Entry<SourceRange, number>[] {
  const networks = (configuration?.spec.bpfDSROptoutCIDRs ?? []).map(parseCidr).flatMap(ofItsFamily);
  const unique = new Map(networks.map((network) => [network.text, network]));
  return [...unique.values()].map(({ address, prefixLength }) => {
    const key = { prefixLength: 32 + prefixLength, set: TUNNEL_CLIENTS, client: address };
    return { key, value: 1 };
  });
}

// IPv4 is at ::ffff:0:0/96 in the map: an IPv6 network around it stands for those of its parts that clients have.
const OF_IPV6 = ["2000::/3", "64:ff9b::/96", "fc00::/7", "fe80::/10"].map(parseCidr);

function ofItsFamily(network: Cidr): Cidr[] {
  return coversMappedIPv4(network) ? OF_IPV6.filter((part) => covers(network, part)) : [network];
}
