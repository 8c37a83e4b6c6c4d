import type { Family } from "../../model/address/address.ts";
import { mtuWithinEncryption } from "../../model/pool/encapsulation.ts";
import type { NetworkDevice } from "./devices.ts";
import { ipBatch } from "./ip-command.ts";

export const WIREGUARD_DEVICE = "ebpf-wireguard";

/** For the reason that the tunnel device has one (tunnel.ts). */
const ADDRESS = "169.254.1.2/32";

/** The commands that create or correct the device; none if it is correct. Its key and its peers come from the agent (encryption/). */
export function wireguardCommands(present: NetworkDevice | undefined, mtu: number): string[] {
  const set = `link set dev ${WIREGUARD_DEVICE} mtu ${mtu} up`;
  if (present?.kind === "wireguard") return present.mtu === mtu && present.up ? [] : [set];
  return [
    ...(present ? [`link delete dev ${WIREGUARD_DEVICE}`] : []),
    `link add ${WIREGUARD_DEVICE} type wireguard`,
    `link set dev ${WIREGUARD_DEVICE} addrgenmode none`,
    `address add ${ADDRESS} dev ${WIREGUARD_DEVICE} scope link`,
    set,
  ];
}

/** @param mtu the uplink's; @param family of the nodes' addresses
 * @returns why there is no device, or undefined */
export function ensureWireguard(devices: readonly NetworkDevice[], mtu: number, family: Family): string | undefined {
  const present = devices.find(({ name }) => name === WIREGUARD_DEVICE);
  try {
    ipBatch(wireguardCommands(present, mtuWithinEncryption(mtu, family)));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function removeWireguard(devices: readonly NetworkDevice[]): void {
  if (devices.some(({ name, kind }) => name === WIREGUARD_DEVICE && kind === "wireguard"))
    ipBatch([`link delete dev ${WIREGUARD_DEVICE}`]);
}
