// Whether a Service answers at an address, by the maps: the same lookups as in the packet path (bpf/service/choose.h).
import { type Address, familyOf, isLoopback } from "../../model/address/address.ts";
import { UDP } from "../../model/protocol.ts";
import { ANY_NODE, NODE_LOOPBACK } from "../../model/service/frontend.ts";
import { LocationFlag, type Service, ServiceFlag, ServiceHandling } from "../kernel/layout.gen.ts";
import type { MapStores } from "../kernel/map-store.ts";

type Read<M extends keyof MapStores> = Pick<MapStores[M], "lookup">;

/** The maps that say so. */
export interface ServiceMaps {
  readonly frontends: Read<"frontends">;
  readonly locations: Read<"locations">;
  readonly settings: Read<"settings">;
}

/** Whether what one of the node's own sockets sends there by UDP is for a backend that this node chooses, and there is one. */
export function isServedHere(address: Address, port: number, maps: ServiceMaps): boolean {
  const service = serviceAt(address, port, maps);
  if (!service || service.backendCount === 0 || isDecidedThere(service, address, maps)) return false;
  // kube-proxy then handles services, but not host ports.
  const isTranslated = maps.settings.lookup(0)?.serviceHandling === ServiceHandling.TRANSLATED;
  return isTranslated || (service.flags & ServiceFlag.HOST_PORT) !== 0;
}

/** A socket that connects to 0.0.0.0 is connected to itself. */
function isOwnLoopback(address: Address): boolean {
  return address === "0.0.0.0" || isLoopback(address);
}

/** Whether it is for another node to choose a backend at its own address. */
function isDecidedThere(service: Service, address: Address, { locations }: ServiceMaps): boolean {
  const flags = locations.lookup({ prefixLength: 128, address })?.flags ?? 0;
  return (service.flags & ServiceFlag.EXTERNAL_LOCAL) !== 0 && (flags & LocationFlag.REMOTE_HOST) !== 0;
}

function serviceAt(address: Address, port: number, { frontends, locations }: ServiceMaps): Service | undefined {
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
