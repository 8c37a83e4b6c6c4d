// Attaching when the kernel has no TCX (before 6.6), and on a workload's new interface: a clsact queueing discipline with our filter on it.
// The filter belongs to the device, so it too outlives the agent; its priority and handle identify it as ours. On a
// workload's interface the dropping filter (closing.ts) follows it.
import { describeError, EEXIST, EINVAL, ENODEV, ENOENT, EOPNOTSUPP, libbpf } from "./libbpf.ts";
import { attribute, number32, text } from "./netlink-attributes.ts";
import { sameProgram } from "./object-info.ts";
import { ChangeRefused, type RouteRequest } from "./rtnetlink.ts";

const HANDLE = 0xebf;
const PRIORITY = 0xebf;
const PRIORITY_BEHIND = PRIORITY + 1; // runs only where ours is missing, because ours ends every packet's path
const BPF_TC_F_REPLACE = 1;
const ATTACH_POINT = { ingress: 1, egress: 2 } as const; // enum bpf_tc_attach_point

export type Direction = keyof typeof ATTACH_POINT;

export type FilterResult = "created" | "replaced" | "unchanged" | "unsupported";

/** Attaches the program to the device's clsact hook; an older program of ours is replaced atomically. "unsupported": the kernel has no
 * clsact, or no filters that are programs. */
export function attachFilter(programFd: number, ifindex: number, direction: Direction): FilterResult {
  return attachAt(PRIORITY, programFd, ifindex, direction);
}

/** A hook that is to have this program. */
export interface FilterProgram {
  readonly programFd: number;
  readonly ifindex: number;
  readonly direction: Direction;
}

/** Replaces the programs of our filters, with no other work between them. `attachFilter` handles those that fail. @returns those that
 * were replaced */
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
  if (attachAt(PRIORITY_BEHIND, programFd, ifindex, direction) === "unsupported")
    throw failed(`attach to ${direction} of`, ifindex, -EOPNOTSUPP);
}

function attachAt(priority: number, programFd: number, ifindex: number, direction: Direction): FilterResult {
  const present = filterProgram(priority, ifindex, direction);
  if (present !== undefined && sameProgram(present, programFd)) return "unchanged";
  const created = present === undefined ? libbpf().tcHookCreate(hook(ifindex, direction)) : 0;
  if (created === -ENOENT || created === -EOPNOTSUPP) return "unsupported";
  if (created < 0 && created !== -EEXIST) throw failed("create the clsact hook of", ifindex, created);
  const result = replaceAt(priority, { programFd, ifindex, direction });
  if (result === -ENOENT) return "unsupported";
  if (result < 0) throw failed(`attach to ${direction} of`, ifindex, result);
  return present === undefined ? "created" : "replaced";
}

// linux/rtnetlink.h, pkt_sched.h, pkt_cls.h
const RTM = { newQdisc: 36, newFilter: 44 };
const CREATE_ONLY = 0x600; // NLM_F_CREATE, NLM_F_EXCL
const CLSACT = { handle: 0xffff0000, parent: 0xfffffff1, ingress: 0xfffffff2, egress: 0xfffffff3 };
const TCA = { kind: 1, options: 2 };
const TCA_BPF = { fd: 6, name: 7, flags: 8 };
const DIRECT_ACTION = 1;
const EVERY_PROTOCOL = 0x0300; // ETH_P_ALL, in network byte order

/** A program for a direction of a workload's interface. */
export interface WorkloadFilter extends FilterProgram {
  /** The name that is shown to people who list filters. */
  readonly name: string;
}

/** The requests that put programs on a new interface, each with the dropping program behind it, before the interface is up: if it is up,
 * the kernel drops packets while it adds a clsact. */
export function filterRequests(
  ifindex: number,
  filters: readonly WorkloadFilter[],
  droppingFd: number,
): RouteRequest[] {
  const clsact = trafficControl(ifindex, CLSACT.handle, CLSACT.parent, 0, [attribute(TCA.kind, text("clsact"))]);
  return [
    { what: `add a clsact to interface ${ifindex}`, type: RTM.newQdisc, flags: CREATE_ONLY, body: clsact },
    ...filters.flatMap(({ programFd, direction, name }) => [
      filterRequest(ifindex, direction, PRIORITY, programFd, name),
      filterRequest(ifindex, direction, PRIORITY_BEHIND, droppingFd, "closed"),
    ]),
  ];
}

/** Whether only these requests were refused, because the kernel has no such filters (a module is missing). */
export function hasNoFilters(error: unknown): boolean {
  const failed = error instanceof ChangeRefused ? error.failed : [];
  // Without a clsact, each filter is refused too, because its parent does not exist.
  const isMissing = [-ENOENT, -EOPNOTSUPP].includes(failed[0]?.code ?? 0);
  return isMissing && failed.every(({ request }) => request.type === RTM.newQdisc || request.type === RTM.newFilter);
}

function filterRequest(
  ifindex: number,
  direction: Direction,
  priority: number,
  programFd: number,
  name: string,
): RouteRequest {
  const program = [
    attribute(TCA_BPF.fd, number32(programFd)),
    attribute(TCA_BPF.name, text(name)),
    attribute(TCA_BPF.flags, number32(DIRECT_ACTION)),
  ];
  const attributes = [attribute(TCA.kind, text("bpf")), attribute(TCA.options, Buffer.concat(program))];
  const info = ((priority << 16) | EVERY_PROTOCOL) >>> 0;
  return {
    what: `attach ${name} to ${direction} of interface ${ifindex}`,
    type: RTM.newFilter,
    flags: CREATE_ONLY,
    body: trafficControl(ifindex, HANDLE, CLSACT[direction], info, attributes),
  };
}

/** struct tcmsg */
function trafficControl(
  ifindex: number,
  handle: number,
  parent: number,
  info: number,
  attributes: readonly Uint8Array[],
): Buffer {
  const header = Buffer.alloc(20);
  header.writeInt32LE(ifindex, 4);
  header.writeUInt32LE(handle, 8);
  header.writeUInt32LE(parent, 12);
  header.writeUInt32LE(info, 16);
  return Buffer.concat([header, ...attributes]);
}

/** Removes our filters, the dropping one first. No filter is a success. Foreign filters and the clsact
 * itself stay. */
export function detachFilter(ifindex: number, direction: Direction): void {
  for (const priority of [PRIORITY_BEHIND, PRIORITY]) detachAt(priority, ifindex, direction);
}

/** Removes the program's filter: the dropping one stays, behind a link. */
export function detachProgram(ifindex: number, direction: Direction): void {
  detachAt(PRIORITY, ifindex, direction);
}

function detachAt(priority: number, ifindex: number, direction: Direction): void {
  if (filterProgram(priority, ifindex, direction) === undefined) return;
  const result = libbpf().tcDetach(hook(ifindex, direction), options({ priority }));
  if (result < 0 && result !== -ENOENT) throw failed(`detach from ${direction} of`, ifindex, result);
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
