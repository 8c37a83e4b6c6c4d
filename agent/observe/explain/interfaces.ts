// The interface of this node by which a flow from or to another address comes in or leaves, as the packet path sees it.
import { type Address, hostCidr } from "../../../model/address/address.ts";
import { prefixOf } from "../../compile/addresses.ts";
import { LocationFlag } from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";

export type InterfaceMaps = Pick<MapStores, "locations" | "settings" | "uplinks">;

export interface NodeInterface {
  readonly ifindex: number;
  /** "the uplink", "the uplink eth1", "the tunnel" */
  readonly name: string;
}

/** The interface by which the node's routes lead to an address; undefined: that is not known. */
export type Towards = (address: Address) => { readonly ifindex: number; readonly name: string } | undefined;

/** For a flow between this node, or one of its pods, and an address elsewhere. The interface where it comes in is found from the way
 * back. @param isOfNode whether its end here is the node itself, which reaches other nodes unwrapped */
export function interfaceFor(maps: InterfaceMaps, towards: Towards, other: Address, isOfNode: boolean): NodeInterface {
  const settings = maps.settings.lookup(0);
  const flags = maps.locations.lookup(prefixOf(hostCidr(other)))?.flags ?? 0;
  const isWrapped = flags & LocationFlag.ENCAPSULATED && !(isOfNode && flags & LocationFlag.REMOTE_HOST);
  return isWrapped ? theTunnel(maps) : uplinkTowards(maps, towards, other, settings?.uplinkIfindex ?? 0);
}

export function theTunnel({ settings }: Pick<InterfaceMaps, "settings">): NodeInterface {
  return { ifindex: settings.lookup(0)?.tunnelIfindex ?? 0, name: "the tunnel" };
}

/** The primary uplink, if the routes name none. */
function uplinkTowards({ uplinks }: InterfaceMaps, towards: Towards, other: Address, primary: number): NodeInterface {
  const found = towards(other);
  const isAnother = found && found.ifindex !== primary && uplinks.lookup(found.ifindex) !== undefined;
  return isAnother
    ? { ifindex: found.ifindex, name: `the uplink ${found.name}` }
    : { ifindex: primary, name: "the uplink" };
}
