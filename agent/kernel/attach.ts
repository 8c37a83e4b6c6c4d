// Puts loaded programs on their hooks: TCX links where the kernel has them, clsact filters otherwise, cgroup links for
// the socket hooks. An existing attachment of the same program is left alone.
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { closeBehindFilter, closeBehindLinks, openBehindLinks } from "./closing.ts";
import { attachFilter, type Direction, detachFilter, replaceFilters } from "./clsact.ts";
import { interfaceName } from "./interface-names.ts";
import { libbpf } from "./libbpf.ts";
import { ensureLink, type LinkResult, type LinkTarget, removeLink, replaceTogether } from "./links.ts";
import type { Loaded } from "./load.ts";
import { linkInfo } from "./object-info.ts";
import type { Pins } from "./pins.ts";
import { type ProgramName, programNames, programs } from "./programs.ts";
import { ensureXdp, removeOtherXdp, XDP_PROGRAM, xdpLink } from "./xdp.ts";

const TCX = { ingress: 46, egress: 47 } as const; // enum bpf_attach_type
const BPF_F_BEFORE = 1 << 3; // before existing programs, which run after ours

export interface Device {
  readonly name: string;
  readonly ifindex: number;
}

/** A program and the device that it belongs on. */
export interface DeviceProgram {
  readonly program: ProgramName;
  readonly device: Device;
}

export interface Attacher {
  /** "tcx" or "clsact": known once the first device is attached. */
  readonly method: "tcx" | "clsact";
  /** Replaces programs of older versions, as close together as the kernel can. Attaches none where none is. @returns those that are replaced */
  replace(all: readonly DeviceProgram[]): DeviceProgram[];
  /** Attaches a program to its direction of a device. */
  device(program: ProgramName, device: Device): LinkResult;
  /** From now on its hook drops packets when this program is missing. Call it after the program is attached. */
  closeBehind(program: ProgramName, device: Device): void;
  /** Attaches the program of an uplink's card. @throws Error if its driver refuses, or has another program */
  card(device: Device): LinkResult;
  /** Detaches it from all others. @returns their names */
  noOtherCards(devices: readonly Device[]): string[];
  /** Attaches the socket hooks to a cgroup2 folder and so to every process below it. */
  cgroup(folder: string): void;
  /** Forgets the links of devices that are gone. */
  sweep(): string[];
}

/** `forceClsact` behaves as if the kernel had no TCX. */
export function attacher(loaded: Pick<Loaded, "programFd">, pins: Pins, forceClsact: boolean): Attacher {
  let tcx = !forceClsact;
  return {
    get method() {
      return tcx ? "tcx" : "clsact";
    },
    replace(all) {
      const hooks = all
        .filter(({ program }) => program !== XDP_PROGRAM)
        .map(({ program, device }) => {
          const { direction } = deviceHook(program);
          const target = deviceTarget(program, device, direction);
          const pin = devicePin(pins, device.name, direction);
          const programFd = loaded.programFd(program);
          return { program, device, direction, ifindex: device.ifindex, target, pin, programFd };
        });
      const cards = all
        .filter(({ program }) => program === XDP_PROGRAM)
        .map(({ program, device }) => ({ program, device, ...xdpLink(pins, device, loaded.programFd(program)) }));
      return [...replaceTogether([...(forceClsact ? [] : hooks), ...cards]), ...replaceFilters(hooks)];
    },
    device(program, device) {
      const { direction } = deviceHook(program);
      const fd = loaded.programFd(program);
      const pin = devicePin(pins, device.name, direction);
      if (tcx) {
        const result = ensureLink(pin, fd, deviceTarget(program, device, direction));
        if (result !== "unsupported") {
          if (result === "created") detachFilter(device.ifindex, direction); // left by an agent that used clsact
          return result;
        }
        tcx = false;
      }
      const result = attachFilter(fd, device.ifindex, direction);
      removeLink(pin); // left by an agent that used TCX
      return result;
    },
    closeBehind(program, device) {
      const { direction } = deviceHook(program);
      if (tcx) return closeBehindLinks(device.ifindex, TCX[direction]);
      closeBehindFilter(device.ifindex, direction);
      openBehindLinks(device.ifindex, TCX[direction]); // left by an agent that used TCX
    },
    card: (device) => ensureXdp(xdpLink(pins, device, loaded.programFd(XDP_PROGRAM))),
    noOtherCards: (devices) => removeOtherXdp(pins, devices),
    cgroup(folder) {
      for (const program of programNames) {
        const { hook } = programs[program];
        if (hook.kind === "cgroup")
          attachCgroup(loaded.programFd(program), join(pins.links, `cgroup-${program}`), folder, hook.attachType);
      }
    },
    sweep: () => sweepLinks(pins),
  };
}

/** Detaches everything: the links by their pins, the filters of the given devices. */
export function detachAll(pins: Pins, devices: readonly Device[]): void {
  for (const name of existsSync(pins.links) ? readdirSync(pins.links) : []) removeLink(join(pins.links, name));
  rmSync(pins.root, { recursive: true, force: true });
  for (const { ifindex } of devices) {
    detachFilter(ifindex, "ingress");
    detachFilter(ifindex, "egress");
  }
}

function deviceHook(program: ProgramName): { direction: Direction } {
  const { hook } = programs[program];
  if (hook.kind !== "device") throw new Error(`Program ${program} does not belong on a device.`);
  return hook;
}

function devicePin(pins: Pins, device: string, direction: Direction): string {
  return join(pins.links, `${device}-${direction}`);
}

function deviceTarget(program: ProgramName, { name, ifindex }: Device, direction: Direction): LinkTarget {
  return {
    ...((program === "from_workload" || program === "to_workload") && { flags: BPF_F_BEFORE }),
    name: `${name} ${direction}`,
    id: ifindex,
    attachType: TCX[direction],
    // struct bpf_link_info, tcx: u32 ifindex, attach_type. When the device goes, the kernel sets ifindex to 0.
    isTargetOf: ({ view }) => view.getUint32(16, true) === ifindex,
  };
}

function attachCgroup(programFd: number, pin: string, folder: string, attachType: number): void {
  const fd = openSync(folder, "r");
  try {
    const id = statSync(folder, { bigint: true }).ino; // a cgroup's id is its folder's inode number
    const result = ensureLink(pin, programFd, {
      name: `cgroup ${folder}`,
      id: fd,
      attachType,
      isTargetOf: ({ view }) => view.getBigUint64(16, true) === id,
    });
    if (result === "unsupported") {
      throw new Error(
        `Cannot attach to ${folder}: not a cgroup2 folder. Next: set cgroupRoot to the node's cgroup2 mount.`,
      );
    }
  } finally {
    closeSync(fd);
  }
}

// The link of a device that is gone has no index, or that of none.
function sweepLinks(pins: Pins): string[] {
  const stale = readdirSync(pins.links).filter((name) => {
    if (name.startsWith("cgroup-")) return false;
    const fd = libbpf().getPinned(join(pins.links, name));
    if (fd < 0) return true;
    try {
      return interfaceName(linkInfo(fd).view.getUint32(16, true)) === undefined;
    } finally {
      closeSync(fd);
    }
  });
  for (const name of stale) removeLink(join(pins.links, name));
  return stale;
}
