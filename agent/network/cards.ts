// What makes a card unfit for XDP although its driver does not refuse. Most drivers refuse what they cannot do (too few queues, segments
// that the card merges (LRO), an MTU); then the driver's sentence is reported (programs/uplink-cards.ts).
import { readdirSync, readFileSync } from "node:fs";
import type { NetworkDevice } from "./devices.ts";

/** A page, less the room that XDP leaves before and behind a packet (256 and 320 bytes), and Ethernet's header. */
const ONE_PAGE = 4096 - 256 - 320 - 14;

/** What the decision depends on besides the interfaces. */
export interface XdpMachine {
  /** Whether frames from the other end of a veth pair have their checksums, which only their sender can guarantee. */
  readonly onVeth: boolean;
  /** Its release, as "6.1.0-57-amd64". */
  readonly kernel: string;
  /** One more than the highest number that the kernel can give a processor (nr_cpu_ids); undefined: that cannot be read. */
  readonly processors: number | undefined;
  /** Pairs of queues in use, without those that the driver adds for XDP, as of now; undefined: that cannot be read. */
  readonly queuesInUse: (card: string) => number | undefined;
}

/** Why XDP on an uplink would not do what tc does, or would not be faster; undefined: only its driver can tell. */
export function unfitForXdp(
  device: NetworkDevice,
  all: readonly NetworkDevice[],
  machine: XdpMachine,
): string | undefined {
  const { name, kind } = device;
  if (kind === "veth" && !machine.onVeth)
    return "it is one end of a veth pair, where XDP is slower than tc, and sees packets whose checksums are still to be computed";
  if (kind === "bond" || kind === "team") return `it is a ${kind}, and XDP sees only the cards that it consists of`;
  const vlan = all.find((other) => other.kind === "vlan" && other.parent === name);
  if (vlan) return `${vlan.name} is a VLAN on it, and a card can hide from XDP which frames belong to that`;
  return device.bus === "virtio" ? unfitVirtio(device, machine) : undefined;
}

function unfitVirtio({ name, mtu, queues }: NetworkDevice, machine: XdpMachine): string | undefined {
  const { kernel, processors } = machine;
  if (mtu > ONE_PAGE && dropsBeyondOnePage(kernel))
    return `its MTU is ${mtu}, and virtio-net of this kernel drops what is larger than ${ONE_PAGE} bytes there without a word`;
  const inUse = machine.queuesInUse(name);
  if (inUse === undefined || queues === undefined || processors === undefined)
    return "how many queues it uses cannot be read in /sys, and with too many virtio-net ends the kernel";
  if (inUse <= processors || inUse + processors <= queues) return undefined;
  const most = Math.max(queues - processors, Math.min(processors, queues));
  return `it uses ${inUse} of its ${queues} pairs of queues: with more than the node's ${processors} processors, and fewer than ${processors} left, virtio-net ends the kernel (ethtool -L ${name} combined ${most} makes it fit)`;
}

/** Since Linux 6.3, virtio-net gives programs packets of several pages; if a program cannot handle these, it asks for an MTU that fits.
 * Older kernels accepted MTUs that do not fit (up to 4080). */
function dropsBeyondOnePage(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  return major < 6 || (major === 6 && minor < 3);
}

/** The sending queues in use of an interface of the namespace that /sys shows. Drivers do not count their queues for XDP there. */
export function queuesInUse(card: string): number | undefined {
  try {
    return readdirSync(`/sys/class/net/${card}/queues`).filter((queue) => queue.startsWith("tx-")).length;
  } catch {
    return undefined;
  }
}

/** What XdpMachine says of them. */
export function processorNumbers(): number | undefined {
  try {
    const [highest] = readFileSync("/sys/devices/system/cpu/possible", "utf8").match(/\d+\s*$/) ?? [];
    return highest === undefined ? undefined : Number(highest) + 1;
  } catch {
    return undefined;
  }
}
