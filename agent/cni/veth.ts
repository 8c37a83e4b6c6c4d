import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { familyOf, hostCidr } from "../../model/address/address.ts";
import { addressesOf, type PodAddresses } from "../../model/objects/pod-of.ts";
import { interfaceIndex } from "../kernel/interface-names.ts";
import { inNamespace } from "../kernel/network-namespace.ts";
import { ipBatch, ipBatchIn } from "../network/ip-command.ts";

/** The properties of a pod's interface pair. */
export interface VethPair extends PodAddresses {
  readonly netns: string;
  readonly ifname: string;
  readonly hostInterface: string;
  readonly mac: string;
  readonly hostMac: string;
  readonly mtu: number;
}

// The pod's router: an address that no interface has, resolved by a permanent neighbor entry.
const GATEWAY = { IPv4: "169.254.1.1", IPv6: "fe80::1" };
const DEFAULT_ROUTE = { IPv4: "0.0.0.0/0", IPv6: "::/0" };

/** Name and hardware addresses are derived from the attachment, so that a repeated call or an undo finds what the first call created. */
export function vethNames(containerId: string, ifname: string): Pick<VethPair, "hostInterface" | "mac" | "hostMac"> {
  const hash = createHash("sha256")
    .update(containerId + ifname)
    .digest("hex");
  // 02: locally administered, unicast (IEEE 802, figure 8-1).
  const mac = (from: number) =>
    `02:${hash
      .slice(from, from + 10)
      .match(/../g)
      ?.join(":")}`;
  return { hostInterface: `ebpf${hash.slice(0, 11)}`, mac: mac(20), hostMac: mac(30) };
}

/** Creates the pair, with its far end in the pod's namespace. The host side is up, because the kernel accepts no route
 * to an interface that is down; no traffic passes while the pod's side is down. Returns the host side's index. */
export function createVeth(pair: VethPair, sysctlRoot: string): number {
  const { hostInterface, hostMac, mac, mtu, ifname, netns } = pair;
  const neighbour = (address: string) => `neigh replace ${address} lladdr ${mac} dev ${hostInterface} nud permanent`;
  const ipv6 = addressesOf(pair).filter(isIpv6);
  const far = `peer name ${ifname} address ${mac} mtu ${mtu} netns ${netns}`;
  ipBatch([
    `link add ${hostInterface} address ${hostMac} mtu ${mtu} type veth ${far}`,
    `link set dev ${hostInterface} addrgenmode none`, // no IPv6 address of the host on it
    `link set dev ${hostInterface} up`,
    ...addressesOf(pair)
      .filter((address) => !isIpv6(address))
      .map(neighbour),
  ]);
  if (ipv6.length > 0) {
    allowIpv6(hostInterface, sysctlRoot); // the kernel takes no neighbor of IPv6 where IPv6 is disabled
    ipBatch(ipv6.map(neighbour));
  }
  const index = interfaceIndex(hostInterface);
  if (index === undefined) throw new Error(`Interface ${hostInterface} disappeared right after it was created.`);
  return index;
}

/** Opens the interface for traffic; call it when the pod's policy is written. */
export function openVeth(pair: VethPair, sysctlRoot: string): Promise<void> {
  const { hostMac, ifname, netns } = pair;
  if (addressesOf(pair).some(isIpv6)) inNamespace(netns, () => allowIpv6(ifname, sysctlRoot));
  const addresses = addressesOf(pair);
  // The address is the pod's alone, so it is usable at once, without duplicate address detection.
  const options = (address: string) => (isIpv6(address) ? " nodad" : "");
  const families = addresses.map((address) => familyOf(address) ?? "IPv4");
  return ipBatchIn(netns, [
    "link set lo up",
    ...addresses.map((address) => `address replace ${hostCidr(address).text} dev ${ifname}${options(address)}`),
    `link set dev ${ifname} up`,
    ...families.flatMap((family) => [
      `neigh replace ${GATEWAY[family]} lladdr ${hostMac} dev ${ifname} nud permanent`,
      `route replace ${DEFAULT_ROUTE[family]} via ${GATEWAY[family]} dev ${ifname} onlink`,
    ]),
  ]);
}

function isIpv6(address: string): boolean {
  return familyOf(address) === "IPv6";
}

/** IPv6 on the interface, with no router but the node. */
function allowIpv6(device: string, sysctlRoot: string): void {
  for (const [name, value] of Object.entries({ disable_ipv6: 0, accept_ra: 0, accept_redirects: 0 }))
    writeFileSync(`${sysctlRoot}/net/ipv6/conf/${device}/${name}`, String(value));
}

/** Removes the pair if it still exists (it may have been removed with its namespace). */
export function deleteVeth(hostInterface: string): void {
  if (interfaceIndex(hostInterface) !== undefined) ipBatch([`link delete dev ${hostInterface}`]);
}
