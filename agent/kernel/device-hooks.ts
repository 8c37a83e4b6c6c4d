// Where a program belongs on a device: its direction, and the TCX link by which it is attached there.
import { join } from "node:path";
import type { Direction } from "./clsact.ts";
import type { LinkTarget } from "./links.ts";
import type { Pins } from "./pins.ts";
import { type ProgramName, programs } from "./programs.ts";

export const TCX = { ingress: 46, egress: 47 } as const; // enum bpf_attach_type
const BPF_F_BEFORE = 1 << 3; // before existing programs, which run after ours

/** Which ways of attaching the kernel has: found out by trying. */
export interface Methods {
  tcx: boolean;
  /** Filters of a clsact that are programs. */
  filters: boolean;
}

export interface Device {
  readonly name: string;
  readonly ifindex: number;
}

export function directionOf(program: ProgramName): Direction {
  const { hook } = programs[program];
  if (hook.kind !== "device") throw new Error(`Program ${program} does not belong on a device.`);
  return hook.direction;
}

export interface DeviceLink {
  readonly pin: string;
  readonly direction: Direction;
  readonly target: LinkTarget;
}

export function deviceLink(pins: Pins, program: ProgramName, { name, ifindex }: Device): DeviceLink {
  const direction = directionOf(program);
  return {
    pin: join(pins.links, `${name}-${direction}`),
    direction,
    target: {
      ...((program === "from_workload" || program === "to_workload") && { flags: BPF_F_BEFORE }),
      name: `${name} ${direction}`,
      id: ifindex,
      attachType: TCX[direction],
      // struct bpf_link_info, tcx: u32 ifindex, attach_type. When the device goes, the kernel sets ifindex to 0.
      isTargetOf: ({ view }) => view.getUint32(16, true) === ifindex,
    },
  };
}

/** The kernel has no way of attaching that this project supports. */
export function unsupported(program: ProgramName, { name }: Device): Error {
  return new Error(
    `Cannot attach ${program} to ${name}: this kernel has neither TCX nor filters that are programs. Next: use Linux 6.6 or later, or one with the modules sch_ingress and cls_bpf.`,
  );
}
