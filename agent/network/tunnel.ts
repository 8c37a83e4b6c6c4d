import type { NetworkDevice } from "./devices.ts";
import { ipBatch, ipJson } from "./ip-command.ts";

export const TUNNEL_DEVICE = "ebpf-vxlan";
const VXLAN_PORT = 4789;

// Loose reverse-path filtering (rp_filter 2) drops all packets on a device without an address, including encapsulated
// packets for a backend in the node's own network. The device therefore has an address; its scope keeps it off the network.
const TUNNEL_ADDRESS = "169.254.1.1/32";

/** The commands that create or correct the tunnel device; none if it is correct. One device serves all nodes:
 * packets carry the destination and network identifier (`external`) and the chosen backend (`gbp`). It learns no addresses
 * and sends no ARP requests. */
export function tunnelCommands(present: NetworkDevice | undefined, mtu: number): string[] {
  const set = `link set dev ${TUNNEL_DEVICE} mtu ${mtu} arp off up`;
  if (present?.kind === "vxlan") return present.mtu === mtu && present.up ? [] : [set];
  return [
    ...(present ? [`link delete dev ${TUNNEL_DEVICE}`] : []),
    `link add ${TUNNEL_DEVICE} type vxlan external dstport ${VXLAN_PORT} nolearning gbp`,
    `address add ${TUNNEL_ADDRESS} dev ${TUNNEL_DEVICE} scope link`,
    set,
  ];
}

export function ensureTunnel(devices: readonly NetworkDevice[], mtu: number): void {
  ipBatch(
    tunnelCommands(
      devices.find((device) => device.name === TUNNEL_DEVICE),
      mtu,
    ),
  );
}

interface VxlanEntry {
  ifname: string;
  linkinfo?: { info_data?: { port?: number } };
}

/** Names another device with the tunnel's port, which only one `external` device can have; "" if there is none. */
export function otherTunnel(vxlans: readonly NetworkDevice[]): string {
  const others = vxlans.filter(({ name }) => name !== TUNNEL_DEVICE);
  const taken = others.find(({ name }) => vxlanPort(name) === VXLAN_PORT);
  return taken ? `interface ${taken.name} has VXLAN's port ${VXLAN_PORT}` : "";
}

function vxlanPort(name: string): number | undefined {
  return ipJson<VxlanEntry>("-details", "link", "show", "dev", name)[0]?.linkinfo?.info_data?.port;
}
