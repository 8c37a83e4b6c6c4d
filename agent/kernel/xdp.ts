// The program in an uplink's card (XDP), attached by a link of its own: in the driver (native mode), or not at all. The kernel's substitute
// for drivers without XDP (generic mode) runs after a socket buffer was made, and is slower than tc. A link never replaces another one's
// program.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "./device-hooks.ts";
import { describeError, EINVAL } from "./libbpf.ts";
import { ensureLink, type LinkedProgram, type LinkResult, removeLink } from "./links.ts";
import type { Pins } from "./pins.ts";
import { driversReason, XDP_FLAGS_DRV_MODE } from "./xdp-reason.ts";

const BPF_XDP = 37; // enum bpf_attach_type
const PIN = /^(.+)-xdp(?:-\d+)?$/;

export const XDP_PROGRAM = "xdp_uplink";

export interface Card extends Device {
  /** Bytes. When the program is attached, the driver decides whether it can handle this MTU. Some drivers let it change afterwards, and
   * drop packets that are too large. */
  readonly mtu: number;
}

/** The program could not be attached. */
export class CardRefusal extends Error {
  /** What the kernel or the driver says; undefined: the number of an error alone. */
  readonly reason: string | undefined;
  constructor(message: string, reason: string | undefined) {
    super(message);
    this.name = "CardRefusal";
    this.reason = reason;
  }
}

/** Another MTU makes another link. */
const pinOf = ({ name, mtu }: Card) => `${name}-xdp-${mtu}`;

export function xdpLink(pins: Pins, card: Card, programFd: number): LinkedProgram {
  const { name, ifindex } = card;
  return {
    pin: join(pins.links, pinOf(card)),
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

/** @throws CardRefusal if the driver refuses, or has another program */
export function ensureXdp({ pin, programFd, target }: LinkedProgram): LinkResult {
  let failure: string;
  try {
    const result = ensureLink(pin, programFd, target);
    if (result !== "unsupported") return result;
    failure = `Cannot attach to ${target.name}: ${describeError(EINVAL)}.`;
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  throw new CardRefusal(failure, driversReason(target.id, programFd));
}

/** Detaches the programs of all other cards, and of these if the MTU is another one. @returns their names */
export function removeOtherXdp(pins: Pins, cards: readonly Card[]): string[] {
  const wanted = new Set(cards.map(pinOf));
  const others = readdirSync(pins.links).filter((pin) => PIN.test(pin) && !wanted.has(pin));
  for (const pin of others) removeLink(join(pins.links, pin));
  return others.map((pin) => PIN.exec(pin)?.[1] ?? pin);
}
