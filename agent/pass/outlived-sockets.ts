import { existsSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { addressesOf } from "../../model/objects/pod-of.ts";
import type { Endpoint } from "../cni/endpoint-store.ts";
import type { WrittenMap } from "../compile/desired.ts";
import { type OutlivedSocket, SOCKETS_TOLD } from "../kernel/layout.gen.ts";
import type { MapStores } from "../kernel/map-store.ts";
import { inNamespace } from "../kernel/network-namespace.ts";
import { type ConnectedSocket, connectedUdpSockets, destroySocket, identityOf } from "../kernel/sock-diag.ts";
import type { Logger } from "../observe/log.ts";
import { isServedHere, type ServiceMaps } from "./served-address.ts";

export interface OutlivedSocketsParts {
  readonly maps: ServiceMaps & { readonly namespaces: Pick<MapStores["namespaces"], "lookup"> };
  /** The workloads of this node. */
  readonly endpoints: () => readonly Pick<Endpoint, "netns" | "namespace" | "pod" | "address" | "secondAddress">[];
  /** What the packet path tells of (kernel/socket-walk.ts). */
  readonly told: () => Iterable<readonly OutlivedSocket[]>;
  readonly log: Logger;
  /** Other than the kernel's, in tests. */
  readonly destroy?: typeof destroySocket;
  readonly ofNode?: () => Iterable<readonly ConnectedSocket[]>;
  readonly enter?: typeof inNamespace;
}

/** The maps that decide whether a socket has outlived its peer. Changes of policies and new endpoints do not matter. */
const HANGS_ON: readonly WrittenMap[] = ["frontends", "members", "locations"];

/** Minimum interval between two passes. */
const PAUSE_MS = 1000;

/** As many sockets of a network namespace are tried in one pass, so that those of others are not kept waiting. */
export const TRIED_AT_MOST = 8192;

/** Whose sockets are ended. */
interface Place {
  /** "this node", "pod default/web-0" */
  readonly name: string;
  /** Does its work in that network namespace. */
  readonly within: (work: () => void) => void;
}

/** A socket to end, and why. */
type Ending = Pick<ConnectedSocket, "family" | "identity"> & { readonly reason: string };

interface Tally {
  readonly place: Place | undefined;
  tried: number;
  ended: number;
  /** Of the first one that was ended. */
  reason?: string;
}

/** Ends UDP sockets whose packets would go nowhere, or to a destination that is no longer allowed: connect() bound them to
 * a backend that their service no longer has, through a load balancer's address that no longer admits them, or, of the node's own
 * sockets, to the address of a service that was created later. Their programs get an error and can reconnect. */
export class OutlivedSockets {
  readonly #parts: OutlivedSocketsParts;
  readonly #reported = new Set<string>();
  #handling: number | undefined;
  #passing = false;
  #again = false;

  constructor(parts: OutlivedSocketsParts) {
    this.#parts = parts;
  }

  /** Call it after maps were written. */
  written(maps: ReadonlySet<WrittenMap>): void {
    const handling = this.#parts.maps.settings.lookup(0)?.serviceHandling;
    if (HANGS_ON.some((map) => maps.has(map)) || handling !== this.#handling) this.changed();
    this.#handling = handling;
  }

  /** Call it when services or their backends changed. Never throws: failures are reported once. */
  changed(): void {
    this.#again = true;
    if (!this.#passing) void this.#passes();
  }

  async #passes(): Promise<void> {
    this.#passing = true;
    while (this.#again) {
      this.#again = false;
      try {
        if (await this.pass()) this.#again = true;
      } catch (error) {
        this.#reportOnce(`Cannot check UDP sockets: ${error instanceof Error ? error.message : error}`);
      }
      await setTimeout(PAUSE_MS);
    }
    this.#passing = false;
  }

  /** Looks at all sockets once, piece by piece, and yields in between. Enters only the network namespaces of sockets that it ends.
   * @returns whether a namespace has more than are ended in one pass */
  async pass(): Promise<boolean> {
    const atServices = await this.#atServices();
    const tallies = new Map<bigint, Tally>();
    for (const piece of this.#parts.told()) {
      const outlived = piece.filter(({ isKept }) => !isKept);
      for (const { cookie } of piece) atServices.delete(cookie); // it was given this address
      for (const [namespace, sockets] of Map.groupBy(outlived, (one) => one.networkNamespace)) {
        const tally = getOr(tallies, namespace, () => this.#tallyOf(namespace));
        this.#end(
          tally,
          sockets.map((one) => ({ ...one, identity: identityOf(one), reason: reasonOf(one) })),
        );
      }
      await setImmediate();
    }
    const node = { place: NODE, tried: 0, ended: 0 };
    const left = [...atServices.values()];
    for (let at = 0; at < left.length; at += SOCKETS_TOLD) {
      const piece = left.slice(at, at + SOCKETS_TOLD);
      this.#end(
        node,
        piece.map((one) => ({ ...one, reason: `${one.address}:${one.port} has become a service` })),
      );
      await setImmediate();
    }
    const all = [...tallies.values(), node];
    for (const tally of all) this.#tell(tally);
    return all.some(({ tried, ended }) => tried === TRIED_AT_MOST && ended > 0); // not where none of them can be ended
  }

  /** The node's own sockets that are connected to the address of a service, by cookie. No program sees what they send; what a workload sends is
   * translated packet by packet, at once when a service appears. */
  async #atServices(): Promise<Map<bigint, ConnectedSocket>> {
    const found = new Map<bigint, ConnectedSocket>();
    const { maps, ofNode = connectedUdpSockets } = this.#parts;
    const known = new Map<string, boolean>();
    for (const piece of ofNode()) {
      for (const socket of piece) {
        const { address, port } = socket;
        if (getOr(known, `${address} ${port}`, () => isServedHere(address, port, maps)))
          found.set(socket.cookie, socket);
      }
      await setImmediate();
    }
    return found;
  }

  #tallyOf(namespace: bigint): Tally {
    return { place: this.#placeOf(namespace), tried: 0, ended: 0 };
  }

  #placeOf(namespace: bigint): Place | undefined {
    const { maps, endpoints, enter = inNamespace } = this.#parts;
    if (maps.settings.lookup(0)?.hostNamespace === namespace) return NODE;
    const workload = maps.namespaces.lookup({ cookie: namespace });
    if (!workload) return undefined;
    const own = [workload.ipv4, workload.ipv6];
    const endpoint = endpoints().find((one) => addressesOf(one).some((address) => own.includes(address)));
    if (!endpoint || !existsSync(endpoint.netns)) return undefined;
    const within = (work: () => void) => enter(endpoint.netns, work);
    return { name: `pod ${endpoint.namespace}/${endpoint.pod}`, within };
  }

  #end(tally: Tally, sockets: readonly Ending[]): void {
    const { place } = tally;
    const now = sockets.slice(0, TRIED_AT_MOST - tally.tried);
    if (!place || now.length === 0) return;
    tally.tried += now.length;
    try {
      place.within(() => {
        for (const socket of now) this.#endOne(tally, socket);
      });
    } catch (error) {
      this.#reportOnce(`Cannot end UDP sockets of ${place.name}: ${error instanceof Error ? error.message : error}`);
    }
  }

  #endOne(tally: Tally, socket: Ending): void {
    const result = (this.#parts.destroy ?? destroySocket)(socket);
    if (result === "unsupported") this.#reportOnce(UNSUPPORTED);
    if (result !== "destroyed") return;
    tally.ended++;
    tally.reason ??= socket.reason;
  }

  #tell({ place, ended, reason }: Tally): void {
    if (!place || ended === 0) return;
    this.#parts.log.info(`ended ${ended === 1 ? "a UDP socket" : `${ended} UDP sockets`} of ${place.name}: ${reason}`);
  }

  #reportOnce(message: string): void {
    if (!this.#reported.has(message)) this.#parts.log.warn(message);
    this.#reported.add(message);
  }
}

const NODE: Place = { name: "this node", within: (work) => work() };

const UNSUPPORTED =
  "this kernel cannot end sockets (CONFIG_INET_DIAG_DESTROY): a connected UDP socket keeps a removed backend";

function reasonOf({ peer }: OutlivedSocket): string {
  return `${peer.frontend}:${peer.frontendPort} no longer uses the backend ${peer.address}:${peer.port}`;
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
