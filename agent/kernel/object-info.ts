// The kernel's information on programs, maps and links (bpf_obj_get_info_by_fd): offsets from struct bpf_prog_info, bpf_map_info and
// struct bpf_link_info in linux/bpf.h, which are ABI.
import { closeSync } from "node:fs";
import { describeError, libbpf } from "./libbpf.ts";

export interface ProgramInfo {
  id: number;
  /** Hash of the instructions. Two programs with the same tag may still use different maps. */
  tag: string;
  name: string;
  mapIds: number[];
}

export interface LinkInfo {
  programId: number;
  view: DataView;
}

export function programInfo(fd: number): ProgramInfo {
  const ids = new Uint32Array(64);
  const info = new Uint8Array(232);
  const view = new DataView(info.buffer);
  view.setUint32(52, ids.length, true); // nr_map_ids: room on the way in, count on the way out
  view.setBigUint64(56, libbpf().addressOf(ids), true);
  read(fd, info, "program");
  return {
    id: view.getUint32(4, true),
    tag: Buffer.from(info.subarray(8, 16)).toString("hex"),
    name: Buffer.from(info.subarray(64, 80)).toString("latin1").replace(/\0.*$/s, ""),
    mapIds: [...ids.subarray(0, view.getUint32(52, true))].sort((a, b) => a - b),
  };
}

export function linkInfo(fd: number): LinkInfo {
  const info = new Uint8Array(64);
  read(fd, info, "link");
  const view = new DataView(info.buffer);
  return { programId: view.getUint32(8, true), view };
}

export interface MapInfo {
  id: number;
  maxEntries: number;
  /** The id of the BTF with its types; 0: the kernel knows none. */
  types: { btf: number; key: number; value: number };
}

/** struct bpf_map_info */
export function mapInfo(fd: number): MapInfo {
  const info = new Uint8Array(80);
  read(fd, info, "map");
  const view = new DataView(info.buffer);
  const word = (offset: number) => view.getUint32(offset, true);
  return { id: word(4), maxEntries: word(16), types: { btf: word(64), key: word(68), value: word(72) } };
}

/** Information on the map that is pinned there; undefined: none is. */
export function pinnedMapInfo(pin: string): MapInfo | undefined {
  const fd = libbpf().getPinned(pin);
  if (fd < 0) return undefined;
  try {
    return mapInfo(fd);
  } finally {
    closeSync(fd);
  }
}

/** The BTF with this id, as the kernel keeps it (struct bpf_btf_info). */
export function btfBytes(id: number): Uint8Array {
  const fd = libbpf().btfById(id);
  if (fd < 0) throw new Error(`Cannot open the BTF of a map: ${describeError(fd)}.`);
  try {
    const info = new Uint8Array(32);
    const view = new DataView(info.buffer);
    read(fd, info, "type");
    const bytes = new Uint8Array(view.getUint32(8, true)); // btf_size, while there is no room for it
    info.fill(0);
    view.setBigUint64(0, libbpf().addressOf(bytes), true);
    view.setUint32(8, bytes.length, true);
    read(fd, info, "type");
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** Whether the program with this id is the one behind `fd`, or has the same instructions and maps. */
export function sameProgram(id: number, fd: number): boolean {
  const wanted = programInfo(fd);
  if (wanted.id === id) return true;
  const other = libbpf().programById(id);
  if (other < 0) return false;
  try {
    const { tag, mapIds } = programInfo(other);
    return tag === wanted.tag && mapIds.join() === wanted.mapIds.join();
  } finally {
    closeSync(other);
  }
}

function read(fd: number, info: Uint8Array, kind: string): void {
  const result = libbpf().objectInfo(fd, info, Uint32Array.of(info.length));
  if (result < 0) throw new Error(`Cannot read the kernel's information on a BPF ${kind}: ${describeError(result)}.`);
}
