// Every frame that the interfaces of a network namespace see: packet(7).
import { closeSync } from "node:fs";
import { libbpf } from "../../agent/kernel/libbpf.ts";
import { inNamespace } from "../../agent/kernel/network-namespace.ts";

const AF_PACKET = 17;
const RAW_NONBLOCK = 3 | 0o4000;
const ALL = 0x0300; // ETH_P_ALL in network order
const [SOL_SOCKET, SO_RCVBUFFORCE] = [1, 33];
/** Of frames that wait to be read. */
const WAITING_BYTES = 1 << 26;

/** Counts frames by what they are, and those that hold one of these texts. */
export class WireCapture {
  readonly #socket: number;
  readonly #kinds = new Map<string, number>();
  readonly #texts: readonly string[];
  readonly #concerns: (frame: Buffer) => boolean;
  #readable = 0;

  /** @param concerns whether a frame counts; absent: all do */
  constructor(netns: string, texts: readonly string[], concerns = (_frame: Buffer) => true) {
    this.#texts = texts;
    this.#concerns = concerns;
    this.#socket = inNamespace(netns, () => libbpf().socket(AF_PACKET, RAW_NONBLOCK, ALL));
    if (this.#socket < 0) throw new Error(`Cannot capture in ${netns}.`);
    const room = new Uint8Array(Uint32Array.of(WAITING_BYTES).buffer);
    libbpf().setsockopt(this.#socket, SOL_SOCKET, SO_RCVBUFFORCE, room, room.length);
  }

  /** Takes what has arrived since the last call. */
  read(): void {
    const buffer = new Uint8Array(1 << 17);
    for (;;) {
      const length = libbpf().recv(this.#socket, buffer, buffer.length, 0);
      if (length <= 0) return;
      const frame = Buffer.from(buffer.buffer, 0, length);
      if (!this.#concerns(frame)) continue;
      const kind = kindOf(frame);
      this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
      if (this.#texts.some((text) => frame.includes(text))) this.#readable++;
    }
  }

  /** How many frames of which kind were read, and how many of them hold a text. */
  summary(): { kinds: Record<string, number>; readable: number } {
    return { kinds: Object.fromEntries(this.#kinds), readable: this.#readable };
  }

  close(): void {
    closeSync(this.#socket);
  }
}

/** "udp > 51820": the protocol and, of UDP, the destination's port; of a packet that was cut, between whom and how much. */
function kindOf(frame: Buffer): string {
  const type = frame.readUInt16BE(12);
  if (type === 0x86dd) return kindOfIpv6(frame);
  if (type !== 0x0800) return type === 0x0806 ? "arp" : "other";
  const protocol = frame.readUInt8(23);
  const cut = frame.readUInt16BE(20) & 0x3fff;
  const [from, to] = [26, 30].map((at) => [...frame.subarray(at, at + 4)].join("."));
  const piece = `a piece of ${frame.readUInt16BE(16)} bytes from ${from} to ${to}`;
  if ((cut & 0x1fff) !== 0) return `protocol ${protocol}, ${piece}`;
  const kind =
    protocol === 17 ? `udp > ${frame.readUInt16BE(14 + (frame.readUInt8(14) & 15) * 4 + 2)}` : `protocol ${protocol}`;
  return cut === 0 ? kind : `${kind}, ${piece}`;
}

/** Neighbors, routers and listeners are looked for with ICMPv6, the last behind a header of options. */
function kindOfIpv6(frame: Buffer): string {
  const header = frame.readUInt8(20);
  if (header === 17) return `udp > ${frame.readUInt16BE(56)}`;
  const type = header === 58 ? frame.readUInt8(54) : 0;
  return header === 0 || (type >= 133 && type <= 137) ? "discovery" : `protocol ${header}`;
}
