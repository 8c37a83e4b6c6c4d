// How values of the packet path's C structs are encoded and decoded. The codecs themselves are generated
// (layout.gen.ts) from the parts in this file.

/** One fixed-size C type. `encode` writes every byte of [at, at + size), padding included, so that equal values are
 * equal bytes; `decode` reads the same range. */
export interface Codec<T> {
  readonly size: number;
  encode(value: T, view: DataView, at: number): void;
  decode(view: DataView, at: number): T;
}

/** One BPF map of the packet path: its name (also the pin's) and the codecs of its keys and values. */
export interface MapDefinition<K, V> {
  readonly name: string;
  readonly type:
    | "hash"
    | "array"
    | "percpu_hash"
    | "percpu_array"
    | "lru_hash"
    | "lru_percpu_hash"
    | "lpm_trie"
    | "sk_storage";
  readonly maxEntries: number;
  readonly flags: number;
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}

export const u32: Codec<number> = {
  size: 4,
  encode: (value, view, at) => view.setUint32(at, value, true),
  decode: (view, at) => view.getUint32(at, true),
};

/** The bytes of one value, in a new buffer. */
export function encodeOne<T>(codec: Codec<T>, value: T): Uint8Array {
  const bytes = new Uint8Array(codec.size);
  codec.encode(value, new DataView(bytes.buffer), 0);
  return bytes;
}

/** A hardware address in its usual notation: "02:42:ac:11:00:02". */
export function encodeMac(text: string, view: DataView, at: number): void {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new TypeError(
      `"${text}" is not a hardware address; expected six pairs of hexadecimal digits separated by colons.`,
    );
  }
  for (let index = 0; index < 6; index++)
    view.setUint8(at + index, Number.parseInt(text.slice(index * 3, index * 3 + 2), 16));
}

export function decodeMac(view: DataView, at: number): string {
  const pairs: string[] = [];
  for (let index = 0; index < 6; index++)
    pairs.push(
      view
        .getUint8(at + index)
        .toString(16)
        .padStart(2, "0"),
    );
  return pairs.join(":");
}

export function zero(view: DataView, at: number, length: number): void {
  for (let index = 0; index < length; index++) view.setUint8(at + index, 0);
}
