import { createHash } from "node:crypto";
import { ipBatch, ipJson } from "../network/ip-command.ts";

/** The properties of a pod's interface pair. */
export interface VethPair {
  readonly netns: string;
  readonly ifname: string;
  readonly hostInterface: string;
  readonly address: string;
  readonly mac: string;
  readonly hostMac: string;
  readonly mtu: number;
}

// The pod's router: an address that no interface has, resolved by a permanent neighbor entry.
const GATEWAY = "169.254.1.1";

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
export function createVeth(pair: VethPair): number {
  const { hostInterface, hostMac, mac, mtu, ifname, netns, address } = pair;
  const far = `peer name ${ifname} address ${mac} mtu ${mtu} netns ${netns}`;
  ipBatch([
    `link add ${hostInterface} address ${hostMac} mtu ${mtu} type veth ${far}`,
    `link set dev ${hostInterface} addrgenmode none`, // no IPv6 address of the host on it
    `link set dev ${hostInterface} up`,
    `neigh replace ${address} lladdr ${mac} dev ${hostInterface} nud permanent`,
  ]);
  const index = hostIndex(hostInterface);
  if (index === undefined) throw new Error(`Interface ${hostInterface} disappeared right after it was created.`);
  return index;
}

/** Opens the interface for traffic; call it when the pod's policy is written. */
export function openVeth({ address, hostMac, ifname, netns }: VethPair): void {
  ipBatch(
    [
      "link set lo up",
      `address replace ${address}/32 dev ${ifname}`,
      `link set dev ${ifname} up`,
      `neigh replace ${GATEWAY} lladdr ${hostMac} dev ${ifname} nud permanent`,
      `route replace default via ${GATEWAY} dev ${ifname} onlink`,
    ],
    netns,
  );
}

/** Removes the pair if it still exists (it may have been removed with its namespace). */
export function deleteVeth(hostInterface: string): void {
  if (hostIndex(hostInterface) !== undefined) ipBatch([`link delete dev ${hostInterface}`]);
}

/** The index of an interface of this namespace, undefined if it does not exist. */
export function hostIndex(name: string): number | undefined {
  return ipJson<{ ifname: string; ifindex: number }>("link", "show").find((link) => link.ifname === name)?.ifindex;
}
