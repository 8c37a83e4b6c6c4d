// Reads the BTF (BPF Type Format) of an object as `bpftool btf dump -j` prints it and extracts the types that the agent
// shares with the packet path: maps, the structs of their keys and values, and enums.
// Format: https://docs.kernel.org/bpf/btf.html; map definitions: libbpf's BTF-defined maps.

export interface BtfType {
  id: number;
  kind: string;
  name: string;
  size?: number;
  type_id?: number;
  nr_elems?: number;
  members?: { name: string; type_id: number; bits_offset: number }[];
  values?: { name: string; val: number }[];
  vars?: { type_id: number }[];
}

/** The type of a member, a map key or a map value. Sizes and offsets are in bytes. */
export type Shape =
  | { kind: "integer"; bytes: 1 | 2 | 4 | 8; bigEndian: boolean }
  | { kind: "struct"; name: string; size: number }
  | { kind: "bytes"; length: number };

export interface Field {
  name: string;
  offset: number;
  shape: Shape;
}

export interface Struct {
  name: string;
  size: number;
  fields: Field[];
}

export interface Enum {
  name: string;
  values: { name: string; value: number }[];
}

export interface MapShape {
  name: string;
  type: number;
  maxEntries: number;
  flags: number;
  key: Shape;
  value: Shape;
}

/** A map without keys: a ring buffer. Only the program knows the type of its entries. */
export interface RingShape {
  name: string;
  /** Bytes. */
  size: number;
}

export interface Layout {
  maps: MapShape[];
  rings: RingShape[];
  structs: Struct[];
  enums: Enum[];
}

/** The maps that an object's BTF declares. `types` is the parsed output of `bpftool btf dump file X -j`; `carried`
 * are the structs in its ring buffers, which no map declares. */
export function readLayout(types: BtfType[], carried: readonly string[]): Layout {
  const reader = new Reader(types);
  const maps = reader.maps();
  const rings = reader.rings();
  for (const name of carried) reader.useStruct(name);
  return { maps, rings, structs: reader.structsUsed(), enums: reader.enums() };
}

const BPF_MAP_TYPE_RINGBUF = 27;

class Reader {
  readonly #byId: Map<number, BtfType>;
  readonly #used = new Map<string, Struct>();

  constructor(types: BtfType[]) {
    this.#byId = new Map(types.map((type) => [type.id, type]));
  }

  maps(): MapShape[] {
    return this.#variables()
      .filter((variable) => !this.#isRing(variable))
      .map((variable) => this.#map(variable));
  }

  rings(): RingShape[] {
    return this.#variables()
      .filter((variable) => this.#isRing(variable))
      .map((variable) => ({ name: variable.name, size: this.#number(variable, "max_entries") }));
  }

  #variables(): BtfType[] {
    const section = [...this.#byId.values()].find((type) => type.kind === "DATASEC" && type.name === ".maps");
    if (!section?.vars) throw new Error("The object has no .maps section: it defines no map in libbpf's BTF style.");
    return section.vars.map((variable) => this.#type(variable.type_id));
  }

  #isRing(variable: BtfType): boolean {
    return this.#number(variable, "type") === BPF_MAP_TYPE_RINGBUF;
  }

  structsUsed(): Struct[] {
    return [...this.#used.values()];
  }

  enums(): Enum[] {
    return [...this.#byId.values()]
      .filter((type) => type.kind === "ENUM" && type.name !== "(anon)")
      .map((type) => ({
        name: type.name,
        values: (type.values ?? []).map(({ name, val }) => ({ name, value: val })),
      }));
  }

  // libbpf encodes numbers as the length of an array behind a pointer (`__uint`), and types as a pointer (`__type`).
  #member(variable: BtfType, name: string): number | undefined {
    return this.#type(variable.type_id).members?.find((member) => member.name === name)?.type_id;
  }

  #number(variable: BtfType, name: string): number {
    const id = this.#member(variable, name);
    return id === undefined ? 0 : (this.#type(this.#type(id).type_id).nr_elems ?? 0);
  }

  #map(variable: BtfType): MapShape {
    const number = (name: string) => this.#number(variable, name);
    const shape = (name: string) => {
      const id = this.#member(variable, name);
      if (id === undefined) throw new Error(`Map ${variable.name} has no ${name} type.`);
      return this.#shape(this.#type(id).type_id, `map ${variable.name}, ${name}`);
    };
    return {
      name: variable.name,
      type: number("type"),
      maxEntries: number("max_entries"),
      flags: number("map_flags"),
      key: shape("key"),
      value: shape("value"),
    };
  }

  #shape(id: number | undefined, where: string, bigEndian = false): Shape {
    const type = this.#type(id);
    switch (type.kind) {
      case "TYPEDEF":
        return this.#shape(type.type_id, where, bigEndian || /^__be\d+$/.test(type.name));
      case "INT":
        return { kind: "integer", bytes: integerSize(type.size, where), bigEndian };
      case "ENUM":
        return { kind: "integer", bytes: 4, bigEndian: false };
      case "STRUCT":
        this.#use(type);
        return { kind: "struct", name: type.name, size: type.size ?? 0 };
      case "ARRAY":
        return this.#array(type, where);
      default:
        throw new Error(`${where}: a ${type.kind} is not supported; allowed are integers, structs, byte arrays.`);
    }
  }

  #array(type: BtfType, where: string): Shape {
    const element = this.#shape(type.type_id, where);
    if (element.kind === "integer" && element.bytes === 1) return { kind: "bytes", length: type.nr_elems ?? 0 };
    throw new Error(`${where}: only arrays of __u8 are supported.`);
  }

  useStruct(name: string): void {
    const type = [...this.#byId.values()].find((one) => one.kind === "STRUCT" && one.name === name);
    if (!type) throw new Error(`The BTF has no struct ${name}.`);
    this.#use(type);
  }

  #use(type: BtfType): void {
    if (this.#used.has(type.name)) return;
    // `struct address` is a string in TypeScript, so its members are not needed.
    const fields =
      type.name === "address"
        ? []
        : (type.members ?? []).map((member) => ({
            name: member.name,
            offset: member.bits_offset / 8,
            shape: this.#shape(member.type_id, `struct ${type.name}, ${member.name}`),
          }));
    this.#used.set(type.name, { name: type.name, size: type.size ?? 0, fields });
  }

  #type(id: number | undefined): BtfType {
    const type = this.#byId.get(id ?? -1);
    if (!type) throw new Error(`The BTF names type ${id}, which it does not contain.`);
    return type;
  }
}

function integerSize(size: number | undefined, where: string): 1 | 2 | 4 | 8 {
  if (size === 1 || size === 2 || size === 4 || size === 8) return size;
  throw new Error(`${where}: an integer of ${size} bytes is not supported.`);
}
