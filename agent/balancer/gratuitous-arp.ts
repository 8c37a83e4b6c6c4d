import { addressBytes } from "../../model/address/address.ts";

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const SHORTEST_FRAME = 60;

/** A frame that tells all hosts of a link that `mac` has the IPv4 address: an ARP announcement (RFC 5227, 2.3). */
export function gratuitousArp(address: string, mac: string): Uint8Array {
  const sender = [...macBytes(mac), ...addressBytes(address).slice(12)];
  const target = [0, 0, 0, 0, 0, 0, ...addressBytes(address).slice(12)];
  const frame = new Uint8Array(SHORTEST_FRAME);
  frame.set([...macBytes(BROADCAST), ...macBytes(mac), 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1, ...sender, ...target]);
  return frame;
}

function macBytes(mac: string): number[] {
  return mac.split(":").map((byte) => Number.parseInt(byte, 16));
}
