import type { NetworkDevice } from "./devices.ts";
import { ipBatch } from "./ip_command.ts";

export const TUNNEL_DEVICE = "ebpf-vxlan";
const VXLAN_PORT = 4789;

/** The outer headers that VXLAN over IPv4 adds: Ethernet 14, IP 20, UDP 8, VXLAN 8 (RFC 7348). */
export const VXLAN_OVERHEAD = 50;

/** What has to be run so that the tunnel device is as wanted; nothing when it is. One device serves all nodes: packets
 * carry destination and network identifier (`external`) and the chosen backend (`gbp`); nothing is learned, nobody is asked
 * for hardware addresses. */
export function tunnelCommands(present: NetworkDevice | undefined, mtu: number): string[] {
  if (present?.kind === "vxlan" && present.mtu === mtu && present.up) return [];
  const remove = present && present.kind !== "vxlan" ? [`link delete dev ${TUNNEL_DEVICE}`] : [];
  const add =
    present?.kind === "vxlan"
      ? []
      : [`link add ${TUNNEL_DEVICE} type vxlan external dstport ${VXLAN_PORT} nolearning gbp`];
  return [...remove, ...add, `link set dev ${TUNNEL_DEVICE} mtu ${mtu} arp off up`];
}

export function ensureTunnel(devices: readonly NetworkDevice[], mtu: number): void {
  ipBatch(
    tunnelCommands(
      devices.find((device) => device.name === TUNNEL_DEVICE),
      mtu,
    ),
  );
}
