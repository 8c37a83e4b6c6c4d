// The policies of this node's host endpoints about a flow that comes in by one of its interfaces, or that it forwards
// (bpf/policy/stages.h).
import { hostCidr } from "../../../model/address/address.ts";
import { prefixOf } from "../../compile/addresses.ts";
import {
  ANY_INTERFACE,
  Direction,
  type Endpoint,
  EndpointFlag,
  FROM_WORKLOADS,
  HostStage,
  LocationFlag,
} from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";
import type { Asked } from "./answers.ts";
import { atOwnSide } from "./in-maps.ts";
import { type InterfaceMaps, interfaceFor, type NodeInterface, type Towards, theTunnel } from "./interfaces.ts";

type HostMaps = Pick<MapStores, "endpoints" | "hostEndpoints" | "policies"> & InterfaceMaps;

/** One stage of an interface's host endpoint, about a flow as it sees it. */
export interface AskedStage {
  readonly end: string;
  readonly endpoint: Endpoint;
  readonly flow: Asked;
  /** Asked before translation. A flow that it allows is not judged again where it comes in. */
  readonly isEarly: boolean;
  readonly isForwarded: boolean;
}

/** The flows about which an interface's host endpoint is asked. */
export function hostAt({ hostEndpoints }: Pick<HostMaps, "hostEndpoints">, ifindex: number, stage: HostStage) {
  const found = hostEndpoints.lookup({ interface: ifindex, stage });
  return found || ifindex === FROM_WORKLOADS ? found : hostEndpoints.lookup({ interface: ANY_INTERFACE, stage });
}

/** For a flow from outside, and for one that goes on to other nodes and hosts. Policies about a Service's own address are asked at the
 * node where clients use it, and not about packets that this node sends for a client of another node. @param written the flow before
 * translation */
export function hostStagesOf(
  maps: HostMaps,
  towards: Towards,
  flow: Asked,
  written: Asked,
): { readonly arrival: readonly AskedStage[]; readonly departure: readonly AskedStage[] } {
  if (!maps.settings.lookup(0)?.hostRevision) return { arrival: [], departure: [] };
  const flagsOf = (address: string) => maps.locations.lookup(prefixOf(hostCidr(address)))?.flags ?? 0;
  const isOwn = (address: string) => (flagsOf(address) & LocationFlag.LOCAL_HOST) !== 0;
  const isHere = (address: string) => isOwn(address) || maps.endpoints.lookup(address) !== undefined;
  const { INGRESS_ISOLATED, EGRESS_ISOLATED } = EndpointFlag;
  const at = (
    stage: HostStage,
    by: NodeInterface,
    what: string,
    asked = flow,
    isolated: number = INGRESS_ISOLATED,
  ): AskedStage[] => {
    const endpoint = hostAt(maps, by.ifindex, stage);
    const isEarly = stage !== HostStage.FORWARDED;
    const isForwarded = !isOwn(flow.to) && !isOwn(flow.from);
    const end = `${by.name}, ${what}`;
    if (!endpoint || !(endpoint.flags & isolated)) return [];
    const side = isolated === INGRESS_ISOLATED ? Direction.INGRESS : Direction.EGRESS;
    const identity = maps.locations.lookup(
      prefixOf(hostCidr(side === Direction.INGRESS ? asked.to : asked.from)),
    )?.identity;
    return [{ end, endpoint: atOwnSide(maps, endpoint, side, identity), flow: asked, isEarly, isForwarded }];
  };
  const comesIn = !isHere(flow.from) && isHere(written.to);
  const isOfNode = isOwn(flow.from);
  const goesOut = !isHere(flow.to) && (comesIn || isHere(flow.from));
  const from = interfaceFor(maps, towards, flow.from, isOwn(written.to));
  const tunnel = theTunnel(maps);
  const arrival = comesIn
    ? [
        // No policy is asked about single packets that come wrapped.
        ...(from.ifindex === tunnel.ifindex
          ? []
          : at(HostStage.UNTRACKED, from, "before connections are looked up", written)),
        ...at(HostStage.PRE_DNAT, from, "before translation", written),
        ...(isOwn(flow.to) ? [] : at(HostStage.FORWARDED, from, "of what the node forwards")),
      ]
    : [];
  const to = comesIn ? tunnel : interfaceFor(maps, towards, flow.to, isOfNode);
  const leaving = (stage: HostStage, what: string) => at(stage, to, what, flow, EGRESS_ISOLATED);
  const departure = goesOut
    ? [
        // Packets that the node itself sends through its tunnel leave wrapped: no policy is asked about them.
        ...(isOfNode && to.ifindex !== tunnel.ifindex
          ? leaving(HostStage.UNTRACKED, "of each packet, whatever its connection")
          : []),
        ...(isOfNode ? [] : leaving(HostStage.FORWARDED, "of what the node forwards")),
      ]
    : [];
  return { arrival, departure };
}
