import type { NetworkDevice } from "./devices.ts";

/** Why XDP would not do on an uplink what tc does, or not faster; undefined: only its driver can tell. `onVeth`: frames from the other end of a veth
 * pair have their checksums, as only their sender can see to. */
export function unfitForXdp(
  { name, kind }: NetworkDevice,
  all: readonly NetworkDevice[],
  onVeth: boolean,
): string | undefined {
  if (kind === "veth" && !onVeth)
    return "it is one end of a veth pair, where XDP is slower than tc, and sees packets whose checksums are still to be computed";
  if (kind === "bond" || kind === "team") return `it is a ${kind}, and XDP sees only the cards that it consists of`;
  const vlan = all.find((device) => device.kind === "vlan" && device.parent === name);
  if (vlan) return `${vlan.name} is a VLAN on it, and a card can hide from XDP which frames belong to that`;
  return undefined;
}
