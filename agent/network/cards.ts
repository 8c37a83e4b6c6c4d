import type { NetworkDevice } from "./devices.ts";

/** A page, less the room that XDP leaves before and behind a packet (256 and 320 bytes), and Ethernet's header. */
const ONE_PAGE = 4096 - 256 - 320 - 14;

/** Why XDP would not do on an uplink what tc does, or not faster; undefined: only its driver can tell. `onVeth`: frames from the other end of a veth
 * pair have their checksums, as only their sender can see to. @param kernel its release, as "6.1.0-57-amd64" */
export function unfitForXdp(
  { name, kind, bus, mtu }: NetworkDevice,
  all: readonly NetworkDevice[],
  onVeth: boolean,
  kernel: string,
): string | undefined {
  if (kind === "veth" && !onVeth)
    return "it is one end of a veth pair, where XDP is slower than tc, and sees packets whose checksums are still to be computed";
  if (kind === "bond" || kind === "team") return `it is a ${kind}, and XDP sees only the cards that it consists of`;
  const vlan = all.find((device) => device.kind === "vlan" && device.parent === name);
  if (vlan) return `${vlan.name} is a VLAN on it, and a card can hide from XDP which frames belong to that`;
  if (bus === "virtio" && mtu > ONE_PAGE && dropsBeyondOnePage(kernel))
    return `its MTU is ${mtu}, and virtio-net of this kernel drops what is larger than ${ONE_PAGE} bytes there without a word`;
  return undefined;
}

/** Since Linux 6.3 virtio-net gives programs packets of several pages, and asks for an MTU that fits where a program takes none. Before, it let
 * MTUs pass that do not (up to 4080). */
function dropsBeyondOnePage(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  return major < 6 || (major === 6 && minor < 3);
}
