// WireGuard's devices: linux/wireguard.h.
import { type Address, addressOf, familyOf } from "../../model/address/address.ts";
import { changeGeneric, listGeneric } from "./generic-netlink.ts";
import {
  addressValue,
  attribute,
  attributeOf,
  attributesIn,
  nested,
  number16,
  number32,
  text,
} from "./netlink-attributes.ts";

const FAMILY = "wireguard";
const [GET_DEVICE, SET_DEVICE] = [0, 1];
const DEVICE = { name: 2, privateKey: 3, publicKey: 4, listenPort: 6, mark: 7, peers: 8 };
const PEER = { publicKey: 1, flags: 3, endpoint: 4, handshake: 6, received: 7, sent: 8, allowed: 9 };
const [REMOVE, REPLACE_ALLOWED] = [1, 2];
const ALLOWED = { family: 1, address: 2, length: 3 };
const AF = { IPv4: 2, IPv6: 10 };
/** The most peers in one message: a socket's buffer is limited. */
const PEERS_AT_ONCE = 500;

/** Another node, as the device knows it. Keys are in base64. */
export interface WireguardPeer {
  readonly publicKey: string;
  /** Where its packets are sent, and the only address that it may send as. */
  readonly address: Address;
}

export interface WireguardDevice {
  /** Absent: it has no private key. */
  readonly publicKey: string | undefined;
  readonly peers: readonly (WireguardPeer & {
    /** Seconds since 1970; 0: none yet. */
    readonly lastHandshake: number;
    readonly received: bigint;
    readonly sent: bigint;
  })[];
}

export interface WireguardChange {
  /** Absent: it stays. */
  readonly privateKey?: string | undefined;
  readonly port: number;
  /** On the packets that the device sends. */
  readonly mark: number;
  readonly remove: readonly string[];
  readonly peers: readonly WireguardPeer[];
}

/** Removed peers go first, because an address belongs to one peer at a time. @throws NetlinkError */
export function changeWireguard(device: string, change: WireguardChange): void {
  changeGeneric(FAMILY, SET_DEVICE, wireguardRequests(device, change));
}

export function wireguardRequests(device: string, change: WireguardChange): Buffer[] {
  const { privateKey, port, mark, remove, peers } = change;
  const name = attribute(DEVICE.name, text(device));
  const own = [
    ...(privateKey === undefined ? [] : [attribute(DEVICE.privateKey, Buffer.from(privateKey, "base64"))]),
    attribute(DEVICE.listenPort, number16(port)),
    attribute(DEVICE.mark, number32(mark)),
  ];
  const all = [
    ...remove.map((key) => nested(0, [publicKey(key), attribute(PEER.flags, number32(REMOVE))])),
    ...peers.map((peer) => peerAttribute(peer, port)),
  ];
  const parts = Array.from({ length: Math.ceil(all.length / PEERS_AT_ONCE) }, (_, index) =>
    nested(DEVICE.peers, all.slice(index * PEERS_AT_ONCE, (index + 1) * PEERS_AT_ONCE)),
  );
  return [Buffer.concat([name, ...own]), ...parts.map((part) => Buffer.concat([name, part]))];
}

const publicKey = (key: string) => attribute(PEER.publicKey, Buffer.from(key, "base64"));

function peerAttribute({ publicKey: key, address }: WireguardPeer, port: number): Buffer {
  const bytes = addressValue(address);
  const allowed = [
    attribute(ALLOWED.family, number16(AF[familyOf(address) ?? "IPv4"])),
    attribute(ALLOWED.address, bytes),
    attribute(ALLOWED.length, Buffer.of(8 * bytes.length)),
  ];
  return nested(0, [
    publicKey(key),
    attribute(PEER.flags, number32(REPLACE_ALLOWED)),
    attribute(PEER.endpoint, socketAddress(bytes, port)),
    nested(PEER.allowed, [nested(0, allowed)]),
  ]);
}

/** struct sockaddr_in, sockaddr_in6 */
function socketAddress(bytes: Buffer, port: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(bytes.length === 4 ? AF.IPv4 : AF.IPv6, 0);
  head.writeUInt16BE(port, 2);
  const rest = bytes.length === 4 ? [bytes, Buffer.alloc(8)] : [Buffer.alloc(4), bytes, Buffer.alloc(4)];
  return Buffer.concat([head, ...rest]);
}

/** @throws NetlinkError when there is no such device */
export function wireguardDevice(device: string): WireguardDevice {
  return readDevice(listGeneric(FAMILY, GET_DEVICE, attribute(DEVICE.name, text(device))));
}

/** Of the messages of its list: the peers are spread over them. */
export function readDevice(messages: readonly Uint8Array[]): WireguardDevice {
  const own = messages.flatMap((message) => attributeOf(message, DEVICE.publicKey) ?? [])[0];
  const peers = messages
    .flatMap((message) => attributesIn(attributeOf(message, DEVICE.peers) ?? Buffer.alloc(0)))
    .flatMap(({ value }) => readPeer(value));
  const byKey = new Map(peers.map((peer) => [peer.publicKey, peer]));
  return {
    publicKey: own?.some((byte) => byte !== 0) ? own.toString("base64") : undefined,
    peers: [...byKey.values()],
  };
}

function readPeer(bytes: Buffer): WireguardDevice["peers"][number][] {
  const key = attributeOf(bytes, PEER.publicKey);
  if (!key) return [];
  const endpoint = attributeOf(bytes, PEER.endpoint);
  return [
    {
      publicKey: key.toString("base64"),
      address: endpoint ? addressIn(endpoint) : "::",
      lastHandshake: Number(attributeOf(bytes, PEER.handshake)?.readBigInt64LE() ?? 0n),
      received: attributeOf(bytes, PEER.received)?.readBigUInt64LE() ?? 0n,
      sent: attributeOf(bytes, PEER.sent)?.readBigUInt64LE() ?? 0n,
    },
  ];
}

function addressIn(endpoint: Buffer): Address {
  const isIpv4 = endpoint.readUInt16LE(0) === AF.IPv4;
  return isIpv4 ? endpoint.subarray(4, 8).join(".") : addressOf([...endpoint.subarray(8, 24)]);
}
