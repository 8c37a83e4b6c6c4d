// How a flow's packets leave this node, and how replies return: read from the maps as the packet path reads them.
import { type Address, familyOf, hostCidr } from "../../../model/address/address.ts";
import { prefixOf } from "../../compile/addresses.ts";
import { prefixText } from "../../compile/key.ts";
import {
  LocationFlag,
  ReturnMode,
  type Service,
  ServiceFlag,
  SettingsFlag,
  TUNNEL_CLIENTS,
} from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";

export type RouteMaps = Pick<MapStores, "endpoints" | "locations" | "settings" | "sourceRanges">;

export interface Leg {
  readonly from: Address;
  readonly to: Address;
  /** The Service that `to` is a backend of. */
  readonly service?: Service | undefined;
}

/** The bits of a source range's key behind its prefix length. */
const WHOLE_RANGE = 160;
const SET_BITS = 32;

/** Whether the source ranges of a Service hold the client. A set that is empty holds nobody. */
export function isInSet(maps: Pick<RouteMaps, "sourceRanges">, set: number, client: Address): boolean {
  return maps.sourceRanges.lookup({ prefixLength: WHOLE_RANGE, set, client }) !== undefined;
}

/** Where the packets of a flow go that begins on this node, or whose client outside the cluster enters by this node. @param nameOf a
 * node by its address @returns nothing if the flow begins on another node */
export function routeOf(maps: RouteMaps, leg: Leg, nameOf: (address: Address) => string): string | undefined {
  const locate = (address: Address) => maps.locations.lookup(prefixOf(hostCidr(address)));
  const [source, target] = [locate(leg.from), locate(leg.to)];
  const isPodHere = maps.endpoints.lookup(leg.from) !== undefined;
  const isHere = isPodHere || has(source?.flags, LocationFlag.LOCAL_HOST);
  const isOfCluster = has(source?.flags, LocationFlag.REMOTE_HOST | LocationFlag.WORKLOAD | LocationFlag.POOL);
  if (!isHere && isOfCluster) return undefined;
  const isForwarded = !isHere && leg.service !== undefined;
  if (maps.endpoints.lookup(leg.to)) return "stays on this node, to the pod's interface";
  if (has(target?.flags, LocationFlag.LOCAL_HOST)) return "stays on this node, to a process of the node";
  if (has(target?.flags, LocationFlag.BLACKHOLE)) return "ends here: no pod or Service has the address";
  if (!target || !knowsNode(target.node))
    return outside(isPodHere && has(source?.flags, LocationFlag.NAT_OUTGOING), target?.flags);
  const wrapped =
    isForwarded ||
    (has(target.flags, LocationFlag.ENCAPSULATED) && (isPodHere || !has(target.flags, LocationFlag.REMOTE_HOST)));
  const isIpip = !isForwarded && has(target.flags, LocationFlag.IPIP);
  const way = `to ${nameOf(target.node)}, ${wrapped ? `wrapped in ${isIpip ? "IPIP" : "VXLAN"}` : "not wrapped"}`;
  return isForwarded ? `${way}; ${returnOf(maps, leg)}` : way;
}

const has = (flags: number | undefined, wanted: number): boolean => ((flags ?? 0) & wanted) !== 0;
const knowsNode = (node: Address): boolean => node !== "::";

function outside(translated: boolean, flags: number | undefined): string {
  const isPool = has(flags, LocationFlag.POOL | LocationFlag.REMOTE_HOST);
  return `out of the cluster, by the node's routes${translated && !isPool ? ", with the node's address as source (natOutgoing)" : ""}`;
}

/** As bpf/service/return.h. */
function returnOf(maps: RouteMaps, { from, service }: Leg): string {
  const settings = maps.settings.lookup(0);
  const flags = service?.flags ?? 0;
  const said = has(flags, ServiceFlag.RETURN_DIRECT | ServiceFlag.RETURN_TUNNEL);
  const direct = said ? has(flags, ServiceFlag.RETURN_DIRECT) : settings?.returnMode === ReturnMode.DIRECT;
  if (!direct) return `replies return through this node${said ? ", as the Service says" : " (return mode tunnel)"}`;
  if (has(settings?.flags, SettingsFlag.TUNNEL_CLIENTS) && isInSet(maps, TUNNEL_CLIENTS, from))
    return "replies return through this node: the client is among those that DSR does not reach";
  return `replies go from there straight to the client${said ? ", as the Service says" : " (return mode dsr)"}`;
}

/** The networks of a Service's source ranges, of the client's address family. */
export function rangesOf(maps: Pick<RouteMaps, "sourceRanges">, set: number, client: Address): string[] {
  return maps.sourceRanges
    .entries()
    .filter(([range]) => range.set === set && familyOf(range.client) === familyOf(client))
    .map(([range]) => prefixText(range.client, range.prefixLength - SET_BITS))
    .sort();
}
