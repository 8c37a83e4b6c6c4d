import { type Address, canonicalAddress, familyOf } from "../../address/address.ts";
import { secondsOf } from "../interval.ts";

// The allowed values of Calico's BGP kinds, for the agent's schemas and for components: without zod.

export const LAST_AS_NUMBER = 4_294_967_295;
/** Calico's default for nodes. */
export const DEFAULT_AS_NUMBER = 64_512;
export const BGP_PORT = 179;

const within = (text: string, most: number): number | undefined => {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return number <= most ? number : undefined;
};

/** A number, or asdot notation (RFC 5396): 64512, "64512", "1.10". */
export function asNumberOf(written: number | string): number | undefined {
  const [high, low, ...more] = `${written}`.split(".");
  if (more.length > 0) return undefined;
  const parts = low === undefined ? ["0", high] : [high, low];
  const [first, second] = [
    within(parts[0] ?? "", 65_535),
    within(parts[1] ?? "", low === undefined ? LAST_AS_NUMBER : 65_535),
  ];
  if (first === undefined || second === undefined) return undefined;
  const number = first * 65_536 + second;
  return number >= 1 ? number : undefined;
}

/** The numbers of a community (RFC 1997) or of a large one (RFC 8092). */
export function communityOf(text: string): readonly number[] | undefined {
  const written = text.split(":");
  const numbers = written.map((part) => within(part, written.length === 3 ? LAST_AS_NUMBER : 65_535));
  if (written.length < 2 || written.length > 3 || numbers.includes(undefined)) return undefined;
  return numbers as number[];
}

export interface PeerAddress {
  readonly address: Address;
  readonly port: number;
}

export function peerAddressOf(text: string): PeerAddress | undefined {
  const whole = canonicalAddress(text);
  if (whole !== undefined) return { address: whole, port: BGP_PORT };
  const [, bracketed, plain, digits = ""] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = canonicalAddress(bracketed ?? plain ?? "");
  const port = Number(digits);
  if (address === undefined || port < 1 || port > 65_535) return undefined;
  return bracketed !== undefined && familyOf(bracketed) !== "IPv6" ? undefined : { address, port };
}

/** How long a peer waits for one that starts again: seconds of "120s". */
export const restartSecondsOf = secondsOf;

/** What may stand between quotes in BIRD's configuration, and what TCP's MD5 signature accepts (RFC 2385): printable ASCII except
 * quotes. */
export function passwordFault(password: string): string | undefined {
  return /^[\x20\x21\x23-\x7e]{1,80}$/.test(password)
    ? undefined
    : 'allowed are 1 to 80 printable ASCII characters but for "';
}
