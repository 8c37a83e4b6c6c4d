// The program in an uplink's card (XDP), by a link of its own: in the driver (native mode), or not at all. The kernel's substitute for drivers without it
// (generic mode) runs after a socket buffer was made, and is slower than tc. A link never replaces another one's program.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "./device-hooks.ts";
import { describeError, EINVAL } from "./libbpf.ts";
import { ensureLink, type LinkedProgram, type LinkResult, removeLink } from "./links.ts";
import type { Pins } from "./pins.ts";

const BPF_XDP = 37; // enum bpf_attach_type
const XDP_FLAGS_DRV_MODE = 1 << 2;
const PIN = /^(.+)-xdp$/;

export const XDP_PROGRAM = "xdp_uplink";

export function xdpLink(pins: Pins, { name, ifindex }: Device, programFd: number): LinkedProgram {
  return {
    pin: join(pins.links, `${name}-xdp`),
    programFd,
    target: {
      name: `${name} XDP`,
      id: ifindex,
      attachType: BPF_XDP,
      flags: XDP_FLAGS_DRV_MODE,
      // struct bpf_link_info, xdp: u32 ifindex
      isTargetOf: ({ view }) => view.getUint32(16, true) === ifindex,
    },
  };
}

/** @throws Error if the driver refuses, or has another program */
export function ensureXdp({ pin, programFd, target }: LinkedProgram): LinkResult {
  const result = ensureLink(pin, programFd, target);
  if (result === "unsupported") throw new Error(`Cannot attach to ${target.name}: ${describeError(EINVAL)}.`);
  return result;
}

/** Detaches the programs of all other devices. @returns their names */
export function removeOtherXdp(pins: Pins, devices: readonly Device[]): string[] {
  const others = readdirSync(pins.links).flatMap((pin) => {
    const name = PIN.exec(pin)?.[1];
    return name !== undefined && !devices.some((device) => device.name === name) ? [name] : [];
  });
  for (const name of others) removeLink(join(pins.links, `${name}-xdp`));
  return others;
}
