// Walks the storage of all sockets of this machine and reads what `outlived_sockets` tells of them (bpf/socket/outlived.h): a BPF iterator.
import { closeSync, readSync } from "node:fs";
import { maps, type OutlivedSocket, outlivedSocket, SOCKETS_TOLD } from "./layout.gen.ts";
import { describeError, libbpf } from "./libbpf.ts";
import { openMap, type Pins } from "./pins.ts";

const BPF_TRACE_ITER = 28; // enum bpf_attach_type
const NOTHING = 0n;

/** The connected UDP sockets of every network namespace that have outlived their backends, piece by piece: at most SOCKETS_TOLD of the
 * next SOCKETS_WALKED sockets. Of those that are opened and closed meanwhile, some may be left out, or told of twice.
 * @param programFd of `outlived_sockets` @throws Error when the kernel refuses */
export function* outlivedSockets(programFd: number, pins: Pins): Generator<OutlivedSocket[]> {
  const walk = begin(programFd, pins);
  try {
    const view = new DataView(new ArrayBuffer(SOCKETS_TOLD * outlivedSocket.size));
    for (;;) {
      const length = readSync(walk, view);
      if (length === 0) return;
      yield decoded(view, length);
    }
  } finally {
    closeSync(walk);
  }
}

function decoded(view: DataView, length: number): OutlivedSocket[] {
  const told: OutlivedSocket[] = [];
  for (let at = 0; at + outlivedSocket.size <= length; at += outlivedSocket.size)
    if (view.getBigUint64(at, true) !== NOTHING) told.push(outlivedSocket.decode(view, at));
  return told;
}

function begin(programFd: number, pins: Pins): number {
  const map = openMap(pins, maps.socketPeers.name);
  const link = libbpf().linkCreate(programFd, 0, BPF_TRACE_ITER, over(map));
  closeSync(map);
  if (link < 0) throw new Error(`Cannot walk the sockets' storage: ${describeError(link)}.`);
  const walk = libbpf().iteratorCreate(link);
  closeSync(link);
  if (walk < 0) throw new Error(`Cannot read the walk over the sockets' storage: ${describeError(walk)}.`);
  return walk;
}

// struct bpf_link_create_opts up to iter_info_len; union bpf_iter_link_info begins with the map. The kernel reads both before the call returns.
let info: Uint32Array;
function over(map: number): Uint8Array {
  info = Uint32Array.of(map);
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, 32n, true);
  view.setBigUint64(16, libbpf().addressOf(info), true);
  view.setUint32(24, info.byteLength, true);
  return new Uint8Array(view.buffer);
}
