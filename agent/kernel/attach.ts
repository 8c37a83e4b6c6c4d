// Puts loaded programs on their hooks: TCX links where the kernel has them, clsact filters otherwise, cgroup links for
// the socket hooks. An existing attachment of the same program is left alone. Workloads' interfaces: attach-workload.ts.
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type WorkloadAttacher, workloadAttacher } from "./attach-workload.ts";
import { attachFilter, detachFilter, replaceFilters } from "./clsact.ts";
import { type Device, deviceLink, type Methods, unsupported } from "./device-hooks.ts";
import { interfaceName } from "./interface-names.ts";
import { libbpf } from "./libbpf.ts";
import { ensureLink, type LinkResult, removeLink, replaceTogether } from "./links.ts";
import type { Loaded } from "./load.ts";
import { linkInfo } from "./object-info.ts";
import type { Pins } from "./pins.ts";
import { type ProgramName, programNames, programs } from "./programs.ts";
import { type Card, ensureXdp, removeOtherXdp, XDP_PROGRAM, xdpLink } from "./xdp.ts";

/** The name of a socket hook's link. That of a device (`cgroup-0-ingress`) has one part more. */
const CGROUP_LINK = /^cgroup-\w+$/;

/** A program and the device that it belongs on. */
export type DeviceProgram =
  | { readonly program: Exclude<ProgramName, typeof XDP_PROGRAM>; readonly device: Device }
  | { readonly program: typeof XDP_PROGRAM; readonly device: Card };

export interface Attacher extends WorkloadAttacher {
  /** "tcx" or "clsact": known once the first device is attached. */
  readonly method: "tcx" | "clsact";
  /** Replaces programs of older versions, with as little time between them as the kernel allows. Attaches none if there is none.
   * @returns those that were replaced */
  replace(all: readonly DeviceProgram[]): DeviceProgram[];
  /** Attaches a program to its direction of a device. */
  device(program: ProgramName, device: Device): LinkResult;
  /** Takes a program off, if it is there. */
  detach(program: ProgramName, device: Device): void;
  /** Attaches the program of an uplink's card. @throws Error if its driver refuses, or has another program */
  card(card: Card): LinkResult;
  /** Detaches the program from all other cards, and from these if it was attached under another MTU. @returns their names */
  noOtherCards(cards: readonly Card[]): string[];
  /** Attaches the socket hooks to a cgroup2 folder and so to every process below it. Detaches those that only other versions have. */
  cgroup(folder: string): void;
  /** Forgets the links of devices that are gone. */
  sweep(): string[];
}

/** `forceClsact` behaves as if the kernel had no TCX. */
export function attacher(loaded: Pick<Loaded, "programFd">, pins: Pins, forceClsact: boolean): Attacher {
  const has: Methods = { tcx: !forceClsact, filters: true };
  return {
    ...workloadAttacher(loaded, pins, has),
    get method() {
      return has.tcx ? "tcx" : "clsact";
    },
    replace(all) {
      const hooks = all.flatMap((one) => {
        if (one.program === XDP_PROGRAM) return [];
        const { program, device } = one;
        const programFd = loaded.programFd(program);
        return [{ program, device, ifindex: device.ifindex, programFd, ...deviceLink(pins, program, device) }];
      });
      const cards = all.flatMap((one) =>
        one.program === XDP_PROGRAM ? [{ ...one, ...xdpLink(pins, one.device, loaded.programFd(one.program)) }] : [],
      );
      return [...replaceTogether([...(forceClsact ? [] : hooks), ...cards]), ...replaceFilters(hooks)];
    },
    device(program, device) {
      const { direction, pin, target } = deviceLink(pins, program, device);
      const fd = loaded.programFd(program);
      if (has.tcx) {
        const result = ensureLink(pin, fd, target);
        if (result !== "unsupported") {
          if (result === "created") detachFilter(device.ifindex, direction); // left by an agent that used clsact
          return result;
        }
        has.tcx = false;
      }
      const result = attachFilter(fd, device.ifindex, direction);
      if (result === "unsupported") throw unsupported(program, device);
      removeLink(pin); // left by an agent that used TCX
      return result;
    },
    detach(program, device) {
      const { direction, pin } = deviceLink(pins, program, device);
      if (has.tcx && !existsSync(pin)) return;
      removeLink(pin);
      if (!has.tcx) detachFilter(device.ifindex, direction);
    },
    card: (card) => ensureXdp(xdpLink(pins, card, loaded.programFd(XDP_PROGRAM))),
    noOtherCards: (cards) => removeOtherXdp(pins, cards),
    cgroup(folder) {
      const links = new Set<string>();
      for (const program of programNames) {
        const { hook } = programs[program];
        if (hook.kind !== "cgroup") continue;
        const link = `cgroup-${program}`;
        links.add(link);
        attachCgroup(loaded.programFd(program), join(pins.links, link), folder, hook.attachType);
      }
      for (const name of readdirSync(pins.links))
        if (CGROUP_LINK.test(name) && !links.has(name)) removeLink(join(pins.links, name));
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
    if (CGROUP_LINK.test(name)) return false;
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
