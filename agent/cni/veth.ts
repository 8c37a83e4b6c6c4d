import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { type Address, familyOf, hostCidr } from "../../model/address/address.ts";
import { addressesOf, type PodAddresses } from "../../model/objects/pod-of.ts";
import type { Device } from "../kernel/device-hooks.ts";
import { interfaceIndex } from "../kernel/interface-names.ts";
import { inNamespace } from "../kernel/network-namespace.ts";
import { changeNetwork, type RouteRequest, withNamespace } from "../kernel/rtnetlink.ts";
import { addAddress, addNeighbour, addPair, addRoute, deleteLink, ofPod, setUp } from "../network/link-requests.ts";

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
/** The index that it has in every network namespace. */
export const LOOPBACK = 1;
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

/** Sends the requests that an interface needs first, and then sets it up. */
export type BeforeUp = (device: Device, setUp: (first: readonly RouteRequest[]) => Promise<void>) => Promise<void>;

/** Creates the pair, with its far end in the pod's namespace. The host side is up, because the kernel accepts no route
 * to an interface that is down; no traffic passes while the pod's side is down. Returns the host side's index. */
export async function createVeth(pair: VethPair, sysctlRoot: string, beforeUp: BeforeUp): Promise<number> {
  const { hostInterface: name, hostMac, mac, mtu, ifname, netns } = pair;
  const far = { name: ifname, mac };
  await withNamespace(netns, (fd) => changeNetwork([addPair({ name, mac: hostMac }, far, mtu, fd)]));
  const index = interfaceIndex(name);
  if (index === undefined) throw new Error(`Interface ${name} disappeared right after it was created.`);
  const neighbours = (addresses: readonly Address[]) => addresses.map((address) => addNeighbour(address, mac, index));
  const [ipv4, ipv6] = [addressesOf(pair).filter((one) => !isIpv6(one)), addressesOf(pair).filter(isIpv6)];
  const hasIpv6 = existsSync(`${sysctlRoot}/net/ipv6`);
  // One request for each end: between two requests a busy agent would do other work.
  await beforeUp({ name, ifindex: index }, (first) =>
    changeNetwork([...first, ofPod(name, index, hasIpv6), setUp(name, index), ...neighbours(ipv4)]),
  );
  if (ipv6.length > 0) {
    allowIpv6(name, sysctlRoot); // the kernel takes no neighbor of IPv6 where IPv6 is disabled
    await changeNetwork(neighbours(ipv6));
  }
  return index;
}

/** Opens the interface for traffic; call it when the pod's policy is written. */
export async function openVeth(pair: VethPair, sysctlRoot: string): Promise<void> {
  const { hostMac, ifname, netns } = pair;
  const addresses = addressesOf(pair);
  const index = inNamespace(netns, () => {
    if (addresses.some(isIpv6)) allowIpv6(ifname, sysctlRoot);
    return interfaceIndex(ifname);
  });
  if (index === undefined) throw new Error(`The pod has no interface ${ifname} any more.`);
  const families = addresses.map((address) => familyOf(address) ?? "IPv4");
  await changeNetwork(
    [
      setUp("lo", LOOPBACK),
      ...addresses.map((address) => addAddress(hostCidr(address), index)),
      setUp(ifname, index),
      ...families.flatMap((family) => [
        addNeighbour(GATEWAY[family], hostMac, index),
        addRoute(DEFAULT_ROUTE[family], GATEWAY[family], index),
      ]),
    ],
    netns,
  );
}

function isIpv6(address: string): boolean {
  return familyOf(address) === "IPv6";
}

/** IPv6 on the interface; the node is its only router. */
function allowIpv6(device: string, sysctlRoot: string): void {
  for (const [name, value] of Object.entries({ disable_ipv6: 0, accept_ra: 0, accept_redirects: 0 }))
    writeFileSync(`${sysctlRoot}/net/ipv6/conf/${device}/${name}`, String(value));
}

let lastDeletion: Promise<unknown> = Promise.resolve();

/** Removes the pair if it still exists. One pair after the other: each time the kernel waits some ms for its processors, and a request
 * that waits occupies one of the few threads of this process, which starting pods need. */
export function deleteVeth(hostInterface: string, kernel: Kernel = { interfaceIndex, changeNetwork }): Promise<void> {
  const deletion = lastDeletion.then(() => deleteNow(hostInterface, kernel));
  lastDeletion = deletion.catch(() => undefined);
  return deletion;
}

/** The calls to the kernel; tests pass their own. */
interface Kernel {
  readonly interfaceIndex: typeof interfaceIndex;
  readonly changeNetwork: typeof changeNetwork;
}

// The kernel removes the interface with its namespace, which may happen between the two calls.
async function deleteNow(hostInterface: string, kernel: Kernel): Promise<void> {
  const index = kernel.interfaceIndex(hostInterface);
  if (index === undefined) return;
  await kernel.changeNetwork([deleteLink(hostInterface, index)]).catch((error: unknown) => {
    if (kernel.interfaceIndex(hostInterface) !== undefined) throw error;
  });
}
