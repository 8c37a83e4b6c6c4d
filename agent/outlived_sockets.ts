import { UDP } from "./compile/key.ts";
import { LocationFlag, type Service, ServiceHandling, type SocketPeer } from "./kernel/layout.gen.ts";
import type { MapStores } from "./kernel/map_store.ts";
import { type ConnectedSocket, connectedUdpSockets, destroySocket } from "./kernel/sock_diag.ts";
import type { Logger } from "./observe/log.ts";

type Read<M extends keyof MapStores> = Pick<MapStores[M], "lookup">;

/** What the packet path holds of services, as far as sockets hang on it. */
export interface ServiceMaps {
  readonly services: Read<"services">;
  readonly slots: Read<"slots">;
  readonly locations: Read<"locations">;
  readonly settings: Read<"settings">;
  readonly datagramPeers: Read<"datagramPeers">;
}

export interface OutlivedSocketsParts {
  readonly maps: ServiceMaps;
  readonly log: Logger;
}

/** Ends the node's own UDP sockets that would send to nobody for ever: connect() bound them to a backend that their service
 * no longer has, or to the address of a service that began later. Their programs get an error and connect again, as they do
 * when kube-proxy forgets a flow. Workloads have no such sockets: their datagrams are translated on their way. */
export class OutlivedSockets {
  private readonly parts: OutlivedSocketsParts;
  private said = "";

  constructor(parts: OutlivedSocketsParts) {
    this.parts = parts;
  }

  /** To be called when services or their backends changed. Never throws: what cannot be done is said once. */
  end(): void {
    const { maps, log } = this.parts;
    if (maps.settings.lookup(0)?.serviceHandling !== ServiceHandling.TRANSLATED) return;
    try {
      const isMember = membership(maps);
      for (const socket of connectedUdpSockets()) {
        const peer = maps.datagramPeers.lookup({ cookie: socket.cookie });
        if (!hasOutlived(socket, peer, maps, isMember)) continue;
        const result = destroySocket(socket);
        if (result === "destroyed") log.info(`ended a UDP socket of this node: ${reason(socket, peer)}`);
        if (result === "unsupported") {
          const what = "this kernel cannot end sockets (CONFIG_INET_DIAG_DESTROY)";
          this.sayOnce(`${what}: a process of this node with a connected UDP socket keeps a backend that is gone`);
        }
      }
    } catch (error) {
      this.sayOnce(`Cannot look after the node's UDP sockets: ${error instanceof Error ? error.message : error}`);
    }
  }

  private sayOnce(message: string): void {
    if (message !== this.said) this.parts.log.warn(message);
    this.said = message;
  }
}

type Destination = Pick<ConnectedSocket, "address" | "port">;
type IsMember = (service: Service, backend: number) => boolean;

/** Whether this socket sends to nobody, though somebody would answer, or an error would tell. */
export function hasOutlived(
  { address, port }: Destination,
  peer: SocketPeer | undefined,
  maps: ServiceMaps,
  isMember: IsMember = membership(maps),
): boolean {
  if (peer && peer.address === address && peer.port === port) {
    const service = serviceAt(peer.frontend, peer.frontendPort, maps);
    return !service || !isMember(service, peer.backend);
  }
  return (serviceAt(address, port, maps)?.backendCount ?? 0) > 0;
}

function reason({ address, port }: Destination, peer: SocketPeer | undefined): string {
  if (peer?.address !== address) return `${address}:${port} is a service now`;
  return `${peer.frontend}:${peer.frontendPort} no longer has the backend ${address}:${port}`;
}

/** As the packet path finds it (steps/choose.h). */
function serviceAt(address: string, port: number, { services, locations }: ServiceMaps): Service | undefined {
  const exact = services.lookup({ address, port, protocol: UDP });
  if (exact) return exact;
  const flags = locations.lookup({ prefixLength: 128, address })?.flags ?? 0;
  const isNode = address === "0.0.0.0" || flags & (LocationFlag.LOCAL_HOST | LocationFlag.REMOTE_HOST);
  return isNode ? services.lookup({ address: "::", port, protocol: UDP }) : undefined;
}

/** Reads each service's slots once, however many sockets have it. */
function membership({ slots }: ServiceMaps): IsMember {
  const known = new Map<number, ReadonlySet<number | undefined>>();
  return ({ id, backendCount }, backend) => {
    let members = known.get(id);
    if (!members) {
      members = new Set(Array.from({ length: backendCount }, (_, index) => slots.lookup({ service: id, index })));
      known.set(id, members);
    }
    return members.has(backend);
  };
}
