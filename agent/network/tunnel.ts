import type { NetworkDevice } from "./devices.ts";
import { ipBatch, ipJson } from "./ip-command.ts";

export const TUNNEL_DEVICE = "ebpf-vxlan";
const VXLAN_PORT = 4789;

// Loose reverse-path filtering (rp_filter 2) refuses everything that arrives on a device without an address, also what is
// wrapped for a backend in the node's own network. The pods' router has this one; the scope keeps it off the network.
const TUNNEL_ADDRESS = "169.254.1.1/32";

/** What has to be run so that the tunnel device is as wanted; nothing when it is. One device serves all nodes: packets
 * carry destination and network identifier (`external`) and the chosen backend (`gbp`); nothing is learned, nobody is asked
 * for hardware addresses. */
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

/** Says who else has the tunnel's port, which one device of a kind that takes every network can have; "" where nobody does. */
export function otherTunnel(vxlans: readonly NetworkDevice[]): string {
  const others = vxlans.filter(({ name }) => name !== TUNNEL_DEVICE);
  const taken = others.find(({ name }) => vxlanPort(name) === VXLAN_PORT);
  return taken ? `interface ${taken.name} has VXLAN's port ${VXLAN_PORT}` : "";
}

function vxlanPort(name: string): number | undefined {
  return ipJson<VxlanEntry>("-details", "link", "show", "dev", name)[0]?.linkinfo?.info_data?.port;
}
