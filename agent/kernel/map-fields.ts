// What the kernel knows about a map's key and value (BTF, https://docs.kernel.org/bpf/btf.html): another version may have made the map.
import type { Codec } from "./codec.ts";
import { btfBytes, mapInfo } from "./object-info.ts";

/** Where the fields of a struct are, by their path ("origin.interface"). An array or a union is one field. */
export interface Fields {
  readonly size: number;
  readonly at: ReadonlyMap<string, { readonly offset: number; readonly size: number }>;
}

/** The fields of a map's keys and values; undefined: the kernel does not know them. */
export function fieldsOf(fd: number): { readonly key: Fields; readonly value: Fields } | undefined {
  const { btf, key, value } = mapInfo(fd).types;
  if (btf === 0 || key === 0 || value === 0) return undefined;
  const types = readTypes(btfBytes(btf));
  return { key: flat(types, key), value: flat(types, value) };
}

/** A codec of entries with other fields. A field is found by its path; a field that is missing there is zero, and a field that exists
 * only there is left out. @param forgotten paths of fields that are zero in any case, with the fields inside them */
export function codecOfOther<T>(
  codec: Codec<T>,
  own: Fields,
  other: Fields,
  forgotten: readonly string[] = [],
): Codec<T> {
  const moves = [...own.at].flatMap(([path, { offset, size }]) => {
    const from = other.at.get(path);
    if (!from || forgotten.some((one) => path === one || path.startsWith(`${one}.`))) return [];
    return [{ from: from.offset, to: offset, length: Math.min(from.size, size) }];
  });
  return {
    size: other.size,
    encode() {
      throw new Error("Entries of another layout are only read.");
    },
    decode(view, at) {
      const made = new DataView(new ArrayBuffer(own.size));
      for (const { from, to, length } of moves)
        for (let index = 0; index < length; index++) made.setUint8(to + index, view.getUint8(at + from + index));
      return codec.decode(made, 0);
    },
  };
}

const KIND = { INT: 1, ARRAY: 3, STRUCT: 4, UNION: 5, ENUM: 6, TYPEDEF: 8, VOLATILE: 9, CONST: 10, ENUM64: 19 };
const ALIASES = [KIND.TYPEDEF, KIND.VOLATILE, KIND.CONST];
const WITH_SIZE = [KIND.INT, KIND.STRUCT, KIND.UNION, KIND.ENUM, KIND.ENUM64];

/** Bytes behind a type's header, by kind: fixed, and for each member. */
const BEHIND: Readonly<Record<number, readonly [fixed: number, each: number]>> = {
  ...{ 1: [4, 0], 3: [12, 0], 4: [0, 12], 5: [0, 12], 6: [0, 8] },
  ...{ 13: [0, 8], 14: [4, 0], 15: [0, 12], 17: [4, 0], 19: [0, 12] },
};

interface Type {
  readonly kind: number;
  /** The size, for types that have one; otherwise the id of the type that the type refers to. */
  readonly sizeOrType: number;
  readonly members: readonly { readonly name: string; readonly type: number; readonly offset: number }[];
  readonly array?: { readonly of: number; readonly length: number };
}

/** By id; the first is void. */
function readTypes(bytes: Uint8Array): readonly Type[] {
  const view = new DataView(bytes.buffer);
  const word = (at: number) => view.getUint32(at, true);
  const first = word(4); // hdr_len
  const [types, end, texts] = [first + word(8), first + word(8) + word(12), first + word(16)];
  const text = (offset: number) => {
    const start = texts + offset;
    return Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString("latin1");
  };
  const found: Type[] = [{ kind: 0, sizeOrType: 0, members: [] }];
  for (let at = types; at < end; ) {
    const info = word(at + 4);
    const [kind, count] = [(info >>> 24) & 0x1f, info & 0xffff];
    const [fixed, each] = BEHIND[kind] ?? [0, 0];
    const body = at + 12;
    const isStruct = kind === KIND.STRUCT || kind === KIND.UNION;
    const members = Array.from({ length: isStruct ? count : 0 }, (_, index) => {
      const member = body + index * 12;
      return { name: text(word(member)), type: word(member + 4), offset: (word(member + 8) & 0xffffff) / 8 };
    });
    const array = kind === KIND.ARRAY ? { of: word(body), length: word(body + 8) } : undefined;
    found.push({ kind, sizeOrType: word(at + 8), members, ...(array && { array }) });
    at = body + fixed + each * count;
  }
  return found;
}

function flat(types: readonly Type[], id: number): Fields {
  const at = new Map<string, { offset: number; size: number }>();
  const visit = (type: number, path: string, offset: number): void => {
    const found = resolved(types, type);
    if (found.kind !== KIND.STRUCT) return void at.set(path, { offset, size: sizeOf(types, type) });
    for (const member of found.members)
      visit(member.type, path ? `${path}.${member.name}` : member.name, offset + member.offset);
  };
  visit(id, "", 0);
  return { size: sizeOf(types, id), at };
}

function resolved(types: readonly Type[], id: number): Type {
  const type = types[id];
  if (!type) throw new Error(`The kernel's BTF has no type ${id}.`);
  return ALIASES.includes(type.kind) ? resolved(types, type.sizeOrType) : type;
}

function sizeOf(types: readonly Type[], id: number): number {
  const { kind, sizeOrType, array } = resolved(types, id);
  if (array) return array.length * sizeOf(types, array.of);
  return WITH_SIZE.includes(kind) ? sizeOrType : 8; // a pointer
}
