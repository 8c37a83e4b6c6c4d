import type { Address, Cidr } from "../../model/address/address.ts";
import type { Reserved } from "../../model/pool/reserved.ts";
import { type Block, contains, firstFree } from "./block.ts";

/** An address that a pod had, and when it ended (milliseconds since 1970). */
export interface FreedAddress {
  readonly address: Address;
  readonly at: number;
}

/** The addresses in use on this node, and the freed ones, oldest first. */
export interface AddressUse {
  used(): ReadonlySet<string>;
  freed(): readonly FreedAddress[];
}

/** For how long a freed address is not given again: services and connections may still lead to it. */
export const COOLING_MS = 30_000;

/** Which addresses of this node's blocks are free. */
export class FreeAddresses {
  readonly #use: AddressUse;
  readonly #lentOut: () => ReadonlySet<string>;
  readonly #kept: () => Reserved;
  readonly #now: () => number;
  readonly #reserved = new Set<string>();

  /** @param lentOut addresses that other nodes use */
  constructor(use: AddressUse, lentOut: () => ReadonlySet<string>, kept: () => Reserved, now: () => number) {
    this.#kept = kept;
    this.#use = use;
    this.#lentOut = lentOut;
    this.#now = now;
  }

  reserve(addresses: readonly Address[]): void {
    for (const address of addresses) this.#reserved.add(address);
  }

  release(addresses: readonly Address[]): void {
    for (const address of addresses) this.#reserved.delete(address);
  }

  /** Whether the address is in use. A freed address is available to a pod that asks for this very address, because its clients then mean
   * to continue with it. */
  has(address: Address): boolean {
    return this.#use.used().has(address) || this.#reserved.has(address) || this.#lentOut().has(address);
  }

  /** Used, reserved, lent to others and cooling. */
  taken(): Set<string> {
    const now = this.#now();
    // If the clock was set back, the time since then is not known.
    const cooling = this.#use.freed().filter(({ at }) => at <= now && now - at < COOLING_MS);
    const others = [...this.#use.used(), ...this.#reserved, ...this.#lentOut()];
    return new Set([...others, ...cooling.map(({ address }) => address)]);
  }

  /** A freed address may still be in connection tables or caches: it is used last, the longest free first. @param also taken besides */
  in(blocks: readonly Block[], also: ReadonlySet<string> = new Set()): Address | undefined {
    const freed = this.#use.freed().map(({ address }) => address);
    const taken = new Set([...this.taken(), ...also]);
    const [avoid, kept] = [new Set([...taken, ...freed]), this.#kept()];
    const given: Reserved = {
      has: (address) => avoid.has(address) || kept.has(address),
      around: (block) => kept.around(block),
    };
    for (const block of blocks) {
      const never = firstFree(block, given);
      if (never) return never;
    }
    const isOpen = (address: Address) => !taken.has(address) && !kept.has(address);
    return freed.find((address) => isOpen(address) && blocks.some((block) => contains(block, address)));
  }

  /** A network around the block whose addresses are given only to pods that ask for them. */
  keptAround(block: Cidr): Cidr | undefined {
    return this.#kept().around(block);
  }

  /** Whether any address of the network may be given to a pod that does not ask for a certain one. */
  gives(block: Block): boolean {
    return firstFree(block, this.#kept()) !== undefined;
  }
}
