import { ipJson, ipJsonSoon } from "./ip-command.ts";

/** A network interface of the namespace this process runs in. */
export interface NetworkDevice {
  readonly name: string;
  readonly ifindex: number;
  readonly mtu: number;
  readonly mac: string;
  readonly up: boolean;
  /** "vxlan", "veth" …; empty for a physical one. */
  readonly kind: string;
  /** The name of the interface of which it is a part, for a VLAN. */
  readonly parent?: string;
  /** Of a card: "pci", "virtio" … */
  readonly bus?: string;
  /** The number of queues by which packets can leave: as many as its driver can use. */
  readonly queues?: number;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
}

interface IpAddressEntry {
  ifname: string;
  ifindex: number;
  mtu: number;
  address?: string;
  flags: string[];
  link?: string;
  parentbus?: string;
  num_tx_queues?: number;
  linkinfo?: { info_kind?: string };
  addr_info: { family: string; local: string; prefixlen: number; scope: string }[];
}

/** An address without a subnet: mostly a virtual router's or a load balancer's, which comes and goes. */
function isLone({ family, prefixlen }: IpAddressEntry["addr_info"][number]): boolean {
  return prefixlen === (family === "inet6" ? 128 : 32);
}

const LIST = ["-details", "address", "show"];

/** Addresses with a subnet come first. */
export function networkDevices(): NetworkDevice[] {
  return ipJson<IpAddressEntry>(...LIST).map(deviceOf);
}

/** The same, while other work continues. */
export async function networkDevicesSoon(): Promise<NetworkDevice[]> {
  return (await ipJsonSoon<IpAddressEntry>(...LIST)).map(deviceOf);
}

function deviceOf(entry: IpAddressEntry): NetworkDevice {
  return {
    name: entry.ifname,
    ifindex: entry.ifindex,
    mtu: entry.mtu,
    mac: entry.address ?? "",
    up: entry.flags.includes("UP"),
    kind: entry.linkinfo?.info_kind ?? "",
    ...(entry.link !== undefined && { parent: entry.link }),
    ...(entry.parentbus !== undefined && { bus: entry.parentbus }),
    ...(entry.num_tx_queues !== undefined && { queues: entry.num_tx_queues }),
    addresses: entry.addr_info
      .filter(({ scope }) => scope !== "link")
      .sort((one, other) => Number(isLone(one)) - Number(isLone(other)))
      .map(({ local, prefixlen }) => ({ address: local, prefixLength: prefixlen })),
  };
}
