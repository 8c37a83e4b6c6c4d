// Attaching when the kernel has no TCX (before 6.6): a clsact queueing discipline with our filter on it. The
// filter belongs to the device, so it too outlives the agent; its priority and handle identify it as ours. On a
// workload's interface the dropping filter (closing.ts) follows it.
import { describeError, EEXIST, EINVAL, ENODEV, ENOENT, libbpf } from "./libbpf.ts";
import { sameProgram } from "./object-info.ts";

const HANDLE = 0xebf;
const PRIORITY = 0xebf;
const PRIORITY_BEHIND = PRIORITY + 1; // runs only where ours is missing, because ours ends every packet's path
const BPF_TC_F_REPLACE = 1;
const ATTACH_POINT = { ingress: 1, egress: 2 } as const; // enum bpf_tc_attach_point

export type Direction = keyof typeof ATTACH_POINT;

/** Attaches the program to the device's clsact hook; an older one of ours is replaced atomically. */
export function attachFilter(
  programFd: number,
  ifindex: number,
  direction: Direction,
): "created" | "replaced" | "unchanged" {
  return attachAt(PRIORITY, programFd, ifindex, direction);
}

/** A hook that is to have this program. */
export interface FilterProgram {
  readonly programFd: number;
  readonly ifindex: number;
  readonly direction: Direction;
}

/** Replaces the programs of our filters, with nothing else between them. What fails is left to `attachFilter`. @returns those that are replaced */
export function replaceFilters<Filtered extends FilterProgram>(all: readonly Filtered[]): Filtered[] {
  const others = all.filter(({ programFd, ifindex, direction }) => {
    const present = filterProgram(PRIORITY, ifindex, direction);
    return present !== undefined && !sameProgram(present, programFd);
  });
  return others.filter((one) => replaceAt(PRIORITY, one) === 0);
}

function replaceAt(priority: number, { programFd, ifindex, direction }: FilterProgram): number {
  return libbpf().tcAttach(hook(ifindex, direction), options({ priority, programFd, flags: BPF_TC_F_REPLACE }));
}

/** Attaches the dropping program after ours. */
export function attachFilterBehind(programFd: number, ifindex: number, direction: Direction): void {
  attachAt(PRIORITY_BEHIND, programFd, ifindex, direction);
}

function attachAt(
  priority: number,
  programFd: number,
  ifindex: number,
  direction: Direction,
): "created" | "replaced" | "unchanged" {
  const point = hook(ifindex, direction);
  const created = libbpf().tcHookCreate(point);
  if (created < 0 && created !== -EEXIST) throw failed("create the clsact hook of", ifindex, created);
  const present = filterProgram(priority, ifindex, direction);
  if (present !== undefined && sameProgram(present, programFd)) return "unchanged";
  const result = replaceAt(priority, { programFd, ifindex, direction });
  if (result < 0) throw failed(`attach to ${direction} of`, ifindex, result);
  return present === undefined ? "created" : "replaced";
}

/** Removes our filters, the dropping one first. No filter is a success. Foreign filters and the clsact
 * itself stay. */
export function detachFilter(ifindex: number, direction: Direction): boolean {
  const detached = [PRIORITY_BEHIND, PRIORITY].filter((priority) => detachAt(priority, ifindex, direction));
  return detached.includes(PRIORITY);
}

function detachAt(priority: number, ifindex: number, direction: Direction): boolean {
  if (filterProgram(priority, ifindex, direction) === undefined) return false;
  const result = libbpf().tcDetach(hook(ifindex, direction), options({ priority }));
  if (result < 0 && result !== -ENOENT) throw failed(`detach from ${direction} of`, ifindex, result);
  return true;
}

function filterProgram(priority: number, ifindex: number, direction: Direction): number | undefined {
  const found = options({ priority });
  const result = libbpf().tcQuery(hook(ifindex, direction), found);
  // EINVAL: the device has no clsact; ENODEV: it is gone.
  if ([-ENOENT, -EINVAL, -ENODEV].includes(result)) return undefined;
  if (result < 0) throw failed(`read the ${direction} filters of`, ifindex, result);
  return new DataView(found.buffer).getUint32(16, true);
}

// struct bpf_tc_hook {size_t sz; int ifindex; enum attach_point; u32 parent}
function hook(ifindex: number, direction: Direction): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setBigUint64(0, 24n, true);
  view.setInt32(8, ifindex, true);
  view.setUint32(12, ATTACH_POINT[direction], true);
  return new Uint8Array(view.buffer);
}

interface Options {
  readonly priority: number;
  readonly programFd?: number;
  readonly flags?: number;
}

// struct bpf_tc_opts {size_t sz; int prog_fd; u32 flags, prog_id, handle, priority}
function options({ priority, programFd = 0, flags = 0 }: Options): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, 32n, true);
  view.setInt32(8, programFd, true);
  view.setUint32(12, flags, true);
  view.setUint32(20, HANDLE, true);
  view.setUint32(24, priority, true);
  return new Uint8Array(view.buffer);
}

function failed(verb: string, ifindex: number, code: number): Error {
  return new Error(`Cannot ${verb} interface ${ifindex}: ${describeError(code)}.`);
}
