// The Service that a flow would reach by this node, and its backends: read from the maps as the packet path reads them (bpf/service/choose.h).
import { type Address, familyOf, hostCidr } from "../../../model/address/address.ts";
import { ANY_NODE } from "../../../model/service/frontend.ts";
import { prefixOf } from "../../compile/addresses.ts";
import { LocationFlag, type Service, ServiceFlag } from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";
import type { Asked } from "./answers.ts";

type Maps = Pick<MapStores, "endpoints" | "locations" | "frontends" | "slots" | "backends">;

const MOST_BACKENDS = 8;

/** Undefined: the address belongs to no service, or another node decides. */
export function askedService(maps: Maps, { from, to, port, protocol }: Asked): Service | undefined {
  const atAddress = maps.frontends.lookup({ address: to, port, protocol });
  const flags = flagsOf(maps, to);
  if (atAddress || (flags & (LocationFlag.LOCAL_HOST | LocationFlag.REMOTE_HOST)) === 0) return atAddress;
  const atNodes = maps.frontends.lookup({ address: ANY_NODE[familyOf(to) ?? "IPv4"], port, protocol });
  const isOthers = (flags & LocationFlag.REMOTE_HOST) !== 0 && isFromHere(maps, from);
  return isOthers && has(atNodes, ServiceFlag.EXTERNAL_LOCAL) ? undefined : atNodes;
}

/** The first few of those that the sender may be given. */
export function backendsFor(maps: Maps, service: Service, { from }: Asked): { address: Address; port: number }[] {
  const { slots, backends } = maps;
  const isLocalOnly = has(service, isFromHere(maps, from) ? ServiceFlag.INTERNAL_LOCAL : ServiceFlag.EXTERNAL_LOCAL);
  const first = isLocalOnly ? 0 : service.clusterFirst;
  const end = isLocalOnly ? service.localCount : service.backendCount;
  const found = new Map<string, { address: Address; port: number }>();
  for (let index = first; index < end && found.size < MOST_BACKENDS; index++) {
    const id = slots.lookup({ backendList: service.backendList, index });
    const backend = id === undefined ? undefined : backends.lookup(id);
    if (backend) found.set(`${backend.address} ${backend.port}`, { address: backend.address, port: backend.port });
  }
  return [...found.values()];
}

/** A pod of this node, or the node itself. */
function isFromHere(maps: Maps, from: Address): boolean {
  return maps.endpoints.lookup(from) !== undefined || (flagsOf(maps, from) & LocationFlag.LOCAL_HOST) !== 0;
}

function flagsOf({ locations }: Maps, address: Address): number {
  return locations.lookup(prefixOf(hostCidr(address)))?.flags ?? 0;
}

function has(service: Service | undefined, flag: number): boolean {
  return ((service?.flags ?? 0) & flag) !== 0;
}
