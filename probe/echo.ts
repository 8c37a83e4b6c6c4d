// The bytes of a request of a given size, which a probe server sends back whole.

/** First byte of such a request (ENQ). No text, no HTTP and no DNS question of a probe begins with it. */
export const ECHO = 0x05;

/** FNV-1a of a text, 32 bits: another attempt sends other bytes. */
export function seedOf(token: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(token)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Bytes from an offset on. Each word of four is the product of its number, so that blocks in another order differ. */
export function bytesAt(seed: number, offset: number, length: number): Buffer {
  const first = Math.floor(offset / 4);
  const words = Buffer.alloc(4 * (Math.ceil((offset + length) / 4) - first));
  for (let word = 0; word < words.length / 4; word++)
    words.writeUInt32BE((Math.imul(first + word + 1, 0x9e3779b1) ^ seed) >>> 0, word * 4);
  if (first === 0) words[0] = ECHO;
  return words.subarray(offset - first * 4, offset - first * 4 + length);
}

/** Compares what comes back, piece by piece. What follows the echo is kept: a probe server says there who it is. */
export class Comparison {
  readonly #seed: number;
  readonly #size: number;
  /** Bytes that came back and are equal. */
  echoed = 0;
  /** Offset of the first byte that is not. */
  differsAt: number | undefined;
  /** What came after the echo, or instead of it. */
  rest = "";

  constructor(token: string, size: number) {
    this.#seed = seedOf(token);
    this.#size = size;
  }

  add(chunk: Buffer): void {
    const due = this.differsAt === undefined ? Math.min(chunk.length, this.#size - this.echoed) : 0;
    const expected = bytesAt(this.#seed, this.echoed, due);
    const equal = chunk.subarray(0, due).equals(expected) ? due : firstDifference(chunk, expected);
    if (equal < due) this.differsAt = this.echoed + equal;
    this.echoed += equal;
    if (this.rest.length < longestRest) this.rest += chunk.toString("latin1", equal);
  }

  get whole(): boolean {
    return this.echoed === this.#size;
  }
}

const longestRest = 4096;

function firstDifference(chunk: Buffer, expected: Buffer): number {
  return expected.findIndex((byte, index) => byte !== chunk[index]);
}
