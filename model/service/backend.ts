import type { Address } from "../address/address.ts";
import { hash32 } from "../hash.ts";
import type { Named } from "../named.ts";
import { protocolName } from "../protocol.ts";
import type { Hints } from "./topology.ts";

/** What most backends of a Service's port have in common. */
export interface Standing {
  readonly port: number;
  readonly protocol: number;
  /** On this node. */
  readonly local: boolean;
  /** A process or pod on its node's network. */
  readonly hostNetwork: boolean;
  readonly ready: boolean;
  readonly servingTerminating: boolean;
  /** It is in no list: established connections continue. */
  readonly draining: boolean;
  readonly hints: Hints;
  /** Its part of the new connections, in relation to the others. */
  readonly weight: number;
}

/** An endpoint at one port, with what decides whether it gets new connections. Its name tells it from all others. */
export interface Backend extends Named, Standing {
  readonly address: Address;
  /** The address of the node to forward to; "::" where it is not known. */
  readonly node: Address;
  /** The same backend, in no list. */
  drained(): Backend;
}

/** Backends are the most numerous objects of a big cluster: what many have in common is one object, and names are made when they are asked for. */
class CompactBackend implements Backend {
  readonly address: Address;
  readonly node: Address;
  readonly #standing: Standing;
  /** Signed: numbers above 2^31 would be objects of their own. */
  readonly #hash: number;

  constructor(address: Address, node: Address, standing: Standing, hash: number) {
    this.address = address;
    this.node = node;
    this.#standing = standing;
    this.#hash = hash | 0;
  }

  get name(): string {
    return nameOf(this.address, this.node, this.#standing);
  }

  get hash(): number {
    return this.#hash >>> 0;
  }

  get port(): number {
    return this.#standing.port;
  }

  get protocol(): number {
    return this.#standing.protocol;
  }

  get local(): boolean {
    return this.#standing.local;
  }

  get hostNetwork(): boolean {
    return this.#standing.hostNetwork;
  }

  get ready(): boolean {
    return this.#standing.ready;
  }

  get servingTerminating(): boolean {
    return this.#standing.servingTerminating;
  }

  get draining(): boolean {
    return this.#standing.draining;
  }

  get hints(): Hints {
    return this.#standing.hints;
  }

  get weight(): number {
    return this.#standing.weight;
  }

  drained(): Backend {
    return new CompactBackend(this.address, this.node, { ...this.#standing, draining: true }, this.#hash);
  }
}

/** A backend, and its name, which costs more than the rest. */
export function backendAt(address: Address, node: Address, standing: Standing): { backend: Backend; name: string } {
  const name = nameOf(address, node, standing);
  return { backend: new CompactBackend(address, node, standing, hash32(name)), name };
}

/** With its node: a slice of another Service may say that it is elsewhere, which is that Service's affair alone. */
function nameOf(address: Address, node: Address, { port, protocol }: Standing): string {
  return [address, `${port}/${protocolName(protocol)}`, node].join(" ");
}

/** Makes equal standings of one protocol the same object. */
export class Standings {
  readonly #known = new Map<number, Standing>();

  /** @returns the standing, or one that was made before and says the same */
  shared(standing: Standing): Standing {
    const key = numberOf(standing);
    const known = this.#known.get(key);
    if (!known) this.#known.set(key, standing);
    return known ?? standing;
  }
}

const HINTED = { this: 1, others: 2 } as const;

/** Different for different standings of one protocol. */
function numberOf({ port, local, hostNetwork, ready, servingTerminating, draining, hints, weight }: Standing): number {
  const conditions = [local, hostNetwork, ready, servingTerminating, draining];
  const bits = conditions.reduce((all, is) => all * 2 + Number(is), 0);
  const hinted = (hints.node ? HINTED[hints.node] : 0) * 3 + (hints.zone ? HINTED[hints.zone] : 0);
  return ((weight * 9 + hinted) * 32 + bits) * 65_536 + port;
}
