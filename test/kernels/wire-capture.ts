// Every frame that the interfaces of a network namespace see: packet(7).
import { libbpf } from "../../agent/kernel/libbpf.ts";
import { inNamespace } from "../../agent/kernel/network-namespace.ts";

const AF_PACKET = 17;
const RAW_NONBLOCK = 3 | 0o4000;
const ALL = 0x0300; // ETH_P_ALL in network order

/** Keeps of each frame what it is, and its bytes. */
export class WireCapture {
  readonly #socket: number;
  readonly #kinds = new Map<string, number>();
  readonly #contents: Buffer[] = [];

  constructor(netns: string) {
    this.#socket = inNamespace(netns, () => libbpf().socket(AF_PACKET, RAW_NONBLOCK, ALL));
    if (this.#socket < 0) throw new Error(`Cannot capture in ${netns}.`);
  }

  /** Takes what has arrived since the last call. */
  read(): void {
    const buffer = new Uint8Array(1 << 17);
    for (;;) {
      const length = libbpf().recv(this.#socket, buffer, buffer.length, 0);
      if (length <= 0) return;
      const frame = Buffer.from(buffer.slice(0, length));
      const kind = kindOf(frame);
      this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
      this.#contents.push(frame);
    }
  }

  /** How many frames of which kind, and how many hold the text. */
  summary(text: string): { kinds: Record<string, number>; readable: number } {
    const readable = this.#contents.filter((frame) => frame.includes(text)).length;
    return { kinds: Object.fromEntries(this.#kinds), readable };
  }
}

/** "17 > 51820": the protocol and, of UDP, the destination's port. */
function kindOf(frame: Buffer): string {
  const type = frame.readUInt16BE(12);
  if (type === 0x86dd) return kindOfIpv6(frame);
  if (type !== 0x0800) return type === 0x0806 ? "arp" : "other";
  const protocol = frame.readUInt8(23);
  const isLater = (frame.readUInt16BE(20) & 0x1fff) !== 0;
  if (isLater) return `${protocol}, a later fragment`;
  return protocol === 17
    ? `udp > ${frame.readUInt16BE(14 + (frame.readUInt8(14) & 15) * 4 + 2)}`
    : `protocol ${protocol}`;
}

/** Neighbors, routers and listeners are looked for with ICMPv6, the last behind a header of options. */
function kindOfIpv6(frame: Buffer): string {
  const header = frame.readUInt8(20);
  if (header === 17) return `udp > ${frame.readUInt16BE(56)}`;
  const type = header === 58 ? frame.readUInt8(54) : 0;
  return header === 0 || (type >= 133 && type <= 137) ? "discovery" : `protocol ${header}`;
}
