// The programs of a workload's interface. A TCX link costs the kernel a grace period of RCU, during which it holds the lock of the network
// configuration (RTNL): nobody changes an interface meanwhile. So a new interface gets its programs as filters, and its links when no pod waits
// (docs/decisions/0042-links-after-filters.md).

import {
  closeBehindFilter,
  closeBehindLinks,
  droppingProgram,
  isClosedBehindLinks,
  openBehindLinks,
} from "./closing.ts";
import { attachFilter, detachProgram, filterRequests, hasNoFilters } from "./clsact.ts";
import { type Device, deviceLink, directionOf, type Methods, TCX, unsupported } from "./device-hooks.ts";
import { ensureLink, keepLink, type LinkResult, removeLink } from "./links.ts";
import type { Loaded } from "./load.ts";
import type { Pins } from "./pins.ts";
import type { ProgramName } from "./programs.ts";
import type { RouteRequest } from "./rtnetlink.ts";

export const WORKLOAD_PROGRAMS = ["to_workload", "from_workload"] as const satisfies readonly ProgramName[];

export type WorkloadProgram = (typeof WORKLOAD_PROGRAMS)[number];

/** The result for a workload's interface. */
export interface WorkloadResult {
  /** Whether link() is still to be called for its programs. */
  readonly awaitsLinks: boolean;
  readonly results: readonly { readonly program: WorkloadProgram; readonly result: LinkResult }[];
}

export interface WorkloadAttacher {
  /** Attaches the programs of a new interface as filters, before the interface is up: once it is up, every packet meets them. Its hooks
   * drop packets if a program is missing. @param change sends the requests, and then sets the interface up @returns false: the kernel
   * has no such filters, and `workload` attaches the programs by links */
  newWorkload(device: Device, change: (first: readonly RouteRequest[]) => Promise<void>): Promise<boolean>;
  /** Attaches the programs of an interface that may have some already, by links or filters. @param closes whether to check the dropping
   * program too */
  workload(device: Device, closes: boolean): WorkloadResult;
  /** Gives a program its link in place of the filter. */
  link(program: WorkloadProgram, device: Device): void;
  /** Removes the links of an interface that is gone. */
  forget(device: Device): void;
}

export function workloadAttacher(loaded: Pick<Loaded, "programFd">, pins: Pins, has: Methods): WorkloadAttacher {
  /** Uses the link or the filter that exists; otherwise a new filter, if the kernel has filters. */
  function attach(program: WorkloadProgram, device: Device): { isLinked: boolean; result: LinkResult } {
    const { direction, pin, target } = deviceLink(pins, program, device);
    const fd = loaded.programFd(program);
    const kept = has.tcx ? keepLink(pin, fd, target) : undefined;
    if (kept !== undefined) return { isLinked: true, result: kept };
    if (has.filters) {
      const result = attachFilter(fd, device.ifindex, direction);
      has.filters = result !== "unsupported";
      if (has.filters && !has.tcx) removeLink(pin); // left by an agent that used TCX
      if (has.filters) return { isLinked: false, result };
    }
    const result = has.tcx ? ensureLink(pin, fd, target) : "unsupported";
    if (result === "unsupported") throw unsupported(program, device);
    return { isLinked: true, result };
  }

  /** Makes the interface drop packets if a program is missing. */
  function close(program: WorkloadProgram, { ifindex }: Device, isLinked: boolean): void {
    const direction = directionOf(program);
    const attachType = TCX[direction];
    // An earlier agent closed the interface by TCX. That drops packets before a filter is reached, but not before a link's program.
    if (!has.filters) closeBehindLinks(ifindex, attachType);
    else if (!isLinked || !isClosedBehindLinks(ifindex, attachType)) {
      closeBehindFilter(ifindex, direction);
      if (isLinked) detachProgram(ifindex, direction);
      else openBehindLinks(ifindex, attachType);
    }
  }

  return {
    async newWorkload({ ifindex }, change) {
      if (!has.filters) {
        await change([]);
        return false;
      }
      const wanted = WORKLOAD_PROGRAMS.map((name) => ({
        ...{ name, ifindex, direction: directionOf(name), programFd: loaded.programFd(name) },
      }));
      try {
        await change(filterRequests(ifindex, wanted, droppingProgram()));
        return true;
      } catch (error) {
        if (!hasNoFilters(error)) throw error;
        has.filters = false;
        return false;
      }
    },
    workload(device, closes) {
      const all = WORKLOAD_PROGRAMS.map((program) => {
        const attached = attach(program, device);
        if (closes) close(program, device, attached.isLinked);
        return { program, ...attached };
      });
      return { awaitsLinks: has.tcx && all.some(({ isLinked }) => !isLinked), results: all };
    },
    link(program, device) {
      const { direction, pin, target } = deviceLink(pins, program, device);
      const result = has.tcx ? ensureLink(pin, loaded.programFd(program), target) : "unsupported";
      if (result === "unsupported") has.tcx = false;
      else detachProgram(device.ifindex, direction);
    },
    forget(device) {
      for (const program of WORKLOAD_PROGRAMS) removeLink(deviceLink(pins, program, device).pin);
    },
  };
}
