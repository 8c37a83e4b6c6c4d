import { type Address, addressBytes, familyOf } from "../../model/address/address.ts";
import { ICMPV6 } from "../../model/protocol.ts";

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const ALL_NODES = { address: "ff02::1", mac: "33:33:00:00:00:01" };
const SHORTEST_FRAME = 60;
const IPV6_HEADER = 40;

/** A frame that tells all hosts of a link that the address is now at `mac`. */
export function announcementFrame(address: Address, mac: string): Uint8Array {
  return familyOf(address) === "IPv6" ? unsolicitedAdvertisement(address, mac) : gratuitousArp(address, mac);
}

/** An ARP announcement (RFC 5227, 2.3). */
function gratuitousArp(address: Address, mac: string): Uint8Array {
  const sender = [...macBytes(mac), ...addressBytes(address).slice(12)];
  const target = [0, 0, 0, 0, 0, 0, ...addressBytes(address).slice(12)];
  const frame = new Uint8Array(SHORTEST_FRAME);
  frame.set([...macBytes(BROADCAST), ...macBytes(mac), 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1, ...sender, ...target]);
  return frame;
}

/** A neighbor advertisement that nobody asked for, with the override flag (RFC 4861, 4.4 and 7.2.6). */
function unsolicitedAdvertisement(address: Address, mac: string): Uint8Array {
  const override = [0x20, 0, 0, 0];
  const linkLayerAddress = [2, 1, ...macBytes(mac)];
  const message = [136, 0, 0, 0, ...override, ...addressBytes(address), ...linkLayerAddress];
  const ends = [...addressBytes(address), ...addressBytes(ALL_NODES.address)];
  const sum = checksum([...ends, 0, 0, 0, message.length, 0, 0, 0, ICMPV6, ...message]);
  message.splice(2, 2, sum >> 8, sum & 0xff);
  const header = [0x60, 0, 0, 0, 0, message.length, ICMPV6, 255, ...ends];
  const frame = new Uint8Array(14 + IPV6_HEADER + message.length);
  frame.set([...macBytes(ALL_NODES.mac), ...macBytes(mac), 0x86, 0xdd, ...header, ...message]);
  return frame;
}

/** RFC 1071. */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function macBytes(mac: string): number[] {
  return mac.split(":").map((byte) => Number.parseInt(byte, 16));
}
