import { existsSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { type Address, familyOf, isLoopback } from "../../model/address/address.ts";
import { addressesOf } from "../../model/objects/pod-of.ts";
import { UDP } from "../../model/protocol.ts";
import { ANY_NODE, NODE_LOOPBACK } from "../../model/service/frontend.ts";
import type { Endpoint } from "../cni/endpoint-store.ts";
import type { WrittenMap } from "../compile/desired.ts";
import { LocationFlag, type Service, ServiceFlag, ServiceHandling, type SocketPeer } from "../kernel/layout.gen.ts";
import type { MapStores } from "../kernel/map-store.ts";
import { inNamespace } from "../kernel/network-namespace.ts";
import { type ConnectedSocket, connectedUdpSockets, destroySocket } from "../kernel/sock-diag.ts";
import type { Logger } from "../observe/log.ts";

type Read<M extends keyof MapStores> = Pick<MapStores[M], "lookup">;

/** The packet path's service maps that affect sockets. */
export interface ServiceMaps {
  readonly frontends: Read<"frontends">;
  readonly members: Read<"members">;
  readonly sourceRanges: Read<"sourceRanges">;
  readonly locations: Read<"locations">;
  readonly settings: Read<"settings">;
  readonly datagramPeers: Read<"datagramPeers">;
}

export interface OutlivedSocketsParts {
  readonly maps: ServiceMaps;
  /** The workloads of this node. */
  readonly endpoints: () => readonly Pick<Endpoint, "netns" | "namespace" | "pod" | "address" | "secondAddress">[];
  readonly log: Logger;
}

/** The maps that decide whether a socket has outlived its peer (hasOutlived). Changes of policies and new endpoints do not matter. */
const HANGS_ON: readonly WrittenMap[] = ["frontends", "members", "locations"];

/** Minimum interval between passes over the workloads' namespaces. */
const PAUSE_MS = 1000;

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

  /** Call it when services or their backends changed. Checks the node's own sockets at once, and the workloads' sockets
   * one namespace after the other. Never throws: failures are reported once. */
  changed(): void {
    this.#end("this node", undefined, (work) => work());
    this.#again = true;
    if (!this.#passing) void this.#pass();
  }

  async #pass(): Promise<void> {
    this.#passing = true;
    while (this.#again) {
      this.#again = false;
      for (const endpoint of this.#parts.endpoints()) {
        const { netns, namespace, pod } = endpoint;
        await setImmediate(); // yield between two namespaces
        if (!existsSync(netns)) continue;
        this.#end(`pod ${namespace}/${pod}`, addressesOf(endpoint), (work) => inNamespace(netns, work));
      }
      await setTimeout(PAUSE_MS);
    }
    this.#passing = false;
  }

  /** @param workload its addresses; undefined: the node */
  #end(whose: string, workload: readonly Address[] | undefined, within: (work: () => void) => void): void {
    const { maps, log } = this.#parts;
    try {
      const own = maps.settings.lookup(0);
      const client = { addresses: workload ?? (own ? [own.node, own.second] : []), isWorkload: workload !== undefined };
      within(() => {
        for (const socket of connectedUdpSockets()) {
          const peer = maps.datagramPeers.lookup({ cookie: socket.cookie });
          if (!hasOutlived(socket, peer, maps, client)) continue;
          const result = destroySocket(socket);
          if (result === "destroyed") log.info(`ended a UDP socket of ${whose}: ${reason(socket, peer)}`);
          if (result === "unsupported") this.#reportOnce(UNSUPPORTED);
        }
      });
    } catch (error) {
      this.#reportOnce(`Cannot check UDP sockets: ${error instanceof Error ? error.message : error}`);
    }
  }

  #reportOnce(message: string): void {
    if (!this.#reported.has(message)) this.#parts.log.warn(message);
    this.#reported.add(message);
  }
}

const UNSUPPORTED =
  "this kernel cannot end sockets (CONFIG_INET_DIAG_DESTROY): a connected UDP socket keeps a removed backend";

type Destination = Pick<ConnectedSocket, "address" | "port">;

/** Whose socket it is. */
interface Owner {
  /** One of each family that it has. */
  readonly addresses: readonly Address[];
  /** Its packets pass the programs of its interface. */
  readonly isWorkload: boolean;
}

/** Whether this socket's packets go nowhere, although another backend would answer or an error would be better. */
export function hasOutlived(
  { address, port }: Destination,
  peer: SocketPeer | undefined,
  maps: ServiceMaps,
  owner: Owner,
): boolean {
  const bound = peer?.address === address && peer.port === port ? peer : undefined;
  const service = bound ? serviceAt(bound.frontend, bound.frontendPort, maps) : serviceAt(address, port, maps);
  if (!isHandledHere(service, bound, maps)) return false;
  // What a workload sends is translated packet by packet, at once when a service appears, unless its socket was given a backend.
  if (!bound) return !owner.isWorkload && !isDecidedThere(service, address, maps) && (service?.backendCount ?? 0) > 0;
  if (!service || !mayUse(service, owner, bound.frontend, maps)) return true;
  return maps.members.lookup({ backendList: service.backendList, backend: bound.backend }) === undefined;
}

/** The same lookup as in the packet path (service/source_range.h): the kernel finds the longest prefix. */
function mayUse(
  { sourceRanges: set }: Service,
  { addresses }: Owner,
  frontend: Address,
  { sourceRanges }: ServiceMaps,
): boolean {
  if (set === 0) return true;
  const client = addresses.find((address) => familyOf(address) === familyOf(frontend));
  return client !== undefined && sourceRanges.lookup({ prefixLength: 160, set, client }) !== undefined;
}

/** kube-proxy then handles services and sockets that were bound to them before, but not host ports. */
function isHandledHere(
  service: Service | undefined,
  bound: SocketPeer | undefined,
  { settings }: ServiceMaps,
): boolean {
  if (settings.lookup(0)?.serviceHandling === ServiceHandling.TRANSLATED) return true;
  return service ? (service.flags & ServiceFlag.HOST_PORT) !== 0 : bound !== undefined;
}

function reason({ address, port }: Destination, peer: SocketPeer | undefined): string {
  if (peer?.address !== address) return `${address}:${port} has become a service`;
  return `${peer.frontend}:${peer.frontendPort} no longer uses the backend ${address}:${port}`;
}

/** A socket that connects to 0.0.0.0 is connected to itself. */
function isOwnLoopback(address: Address): boolean {
  return address === "0.0.0.0" || isLoopback(address);
}

/** Whether it is for another node to choose a backend at its own address (service/choose.h). */
function isDecidedThere(service: Service | undefined, address: Address, { locations }: ServiceMaps): boolean {
  const flags = locations.lookup({ prefixLength: 128, address })?.flags ?? 0;
  return ((service?.flags ?? 0) & ServiceFlag.EXTERNAL_LOCAL) !== 0 && (flags & LocationFlag.REMOTE_HOST) !== 0;
}

/** The same lookup as in the packet path (service/choose.h). */
function serviceAt(address: string, port: number, { frontends, locations }: ServiceMaps): Service | undefined {
  const exact = frontends.lookup({ address, port, protocol: UDP });
  if (exact) return exact;
  const loopback = isOwnLoopback(address);
  const family = familyOf(address) ?? "IPv4";
  const hostPort = loopback && frontends.lookup({ address: NODE_LOOPBACK[family], port, protocol: UDP });
  if (hostPort) return hostPort;
  const asked = loopback ? (family === "IPv4" ? "127.0.0.1" : "::1") : address;
  const flags = locations.lookup({ prefixLength: 128, address: asked })?.flags ?? 0;
  const isNode = flags & (LocationFlag.LOCAL_HOST | LocationFlag.REMOTE_HOST);
  return isNode && !(flags & LocationFlag.WITHOUT_NODE_PORTS)
    ? frontends.lookup({ address: ANY_NODE[family], port, protocol: UDP })
    : undefined;
}
