// Network cards of a guest (virtio-net), whose driver has native XDP. Their cables are in a network namespace that ends with the guest: those of one
// switch reach each other, and nothing else.
import { closeSync, openSync } from "node:fs";

export interface Card {
  /** Of its end here; at most 15 characters. */
  readonly name: string;
  /** The switch it is connected to. */
  readonly at: string;
  readonly mac: string;
  /** Pairs of queues. */
  readonly queues: number;
  /** Other properties of qemu's device, as "ctrl_guest_offloads=off". */
  readonly properties?: readonly string[];
}

/** Large enough for every MTU that a guest sets. */
const MTU = 9000;

/** Options of qemu. */
export function optionsOf({ name, mac, queues, properties = [] }: Card): string[] {
  const device = [
    ...["virtio-net-pci", `netdev=${name}`, `mac=${mac}`, "romfile="],
    // Two vectors for each pair, one for the control queue, one for changes of the configuration.
    ...(queues > 1 ? ["mq=on", `vectors=${2 * queues + 2}`] : []),
    ...properties,
  ];
  const cable = ["tap", `id=${name}`, `ifname=${name}`, "script=no", "downscript=no", "vhost=off"];
  return ["-netdev", [...cable, `queues=${queues}`].join(","), "-device", device.join(",")];
}

/** The command line that runs qemu where its cards' cables are. */
export function inCardsNetwork(cards: readonly Card[], command: readonly string[]): string[] {
  if (cards.length === 0) return [...command];
  const switches = [...new Set(cards.map(({ at }) => at))];
  const lines = [
    ...switches.flatMap((name) => [
      `ip link add ${name} mtu ${MTU} type bridge forward_delay 0 mcast_snooping 0`,
      `ip link set ${name} addrgenmode none up`,
    ]),
    ...cards.flatMap(({ name, at, queues }) => [
      `ip tuntap add dev ${name} mode tap ${queues > 1 ? "multi_queue " : ""}vnet_hdr`,
      `ip link set ${name} mtu ${MTU} addrgenmode none master ${at} up`,
    ]),
  ];
  return ["unshare", "--net", "sh", "-ec", `${lines.join("\n")}\nexec "$0" "$@"`, ...command];
}

/** Why guests have no cards here, or undefined. */
export function whyNoCards(): string | undefined {
  try {
    closeSync(openSync("/dev/net/tun", "r+"));
    return undefined;
  } catch (error) {
    return `SKIP: cards of guests need /dev/net/tun: ${error instanceof Error ? error.message : error}`;
  }
}
