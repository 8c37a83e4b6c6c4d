// A connected UDP socket of this process that has a backend, without a program that gave it one.
import { closeSync } from "node:fs";
import koffi from "koffi";
import { ipv4Value } from "../../model/address/address.ts";
import { encodeOne } from "./codec.ts";
import { type SocketPeer, socketPeer } from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";
import { openMap, type Pins } from "./pins.ts";

const [AF_INET, SOCK_DGRAM_CLOEXEC] = [2, 2 | 0o2000000];
const [SOL_SOCKET, SO_COOKIE] = [1, 57];

/** @param to where it is connected to: an IPv4 address of this network namespace @param peer what is stored with it
 * @returns its file descriptor */
export function connectedWithPeer(pins: Pins, to: { address: string; port: number }, peer: SocketPeer): number {
  const connect = koffi.load("libc.so.6").func("int connect(int fd, const uint8_t *address, uint32_t length)");
  const place = new DataView(new ArrayBuffer(16)); // struct sockaddr_in
  place.setUint16(0, AF_INET, true);
  place.setUint16(2, to.port);
  place.setUint32(4, ipv4Value(to.address));
  const socket = libbpf().socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  const map = openMap(pins, "socket_peers");
  const key = new Uint8Array(Int32Array.of(socket).buffer);
  // The programs give a socket its cookie.
  libbpf().getsockopt(socket, SOL_SOCKET, SO_COOKIE, new Uint8Array(8), Uint32Array.of(8));
  const failed =
    connect(socket, new Uint8Array(place.buffer), place.byteLength) < 0 ||
    libbpf().update(map, key, encodeOne(socketPeer, peer), 0n) < 0;
  closeSync(map);
  if (failed) throw new Error(`Cannot connect a socket to ${to.address}:${to.port}, or store its peer.`);
  return socket;
}
