// What the product makes of a node's own interfaces: the lookups of bpf/policy/host.h and judge.h, on maps in memory.
import {
  ANY_INTERFACE,
  Direction,
  type Endpoint,
  EndpointFlag,
  HostStage,
  POLICY_OWN_SIDE,
  PolicyVerdict,
} from "../../../agent/kernel/layout.gen.ts";
import type { MapStores } from "../../../agent/kernel/map-store.ts";
import { answerOf, longestMatch } from "../packet-path.ts";
import { compiledMaps, uplinksOf } from "./compiled.ts";
import type { Verdict } from "./evaluate.ts";
import type { HostQuestion } from "./hosts.ts";
import type { World } from "./objects.ts";

/** Of packets from and to the node's own processes, and of those that it forwards. */
export function compiledHostVerdicts(world: World): (question: HostQuestion) => Verdict {
  const maps = compiledMaps(world);
  const uplinks = uplinksOf(world);
  return (question) => {
    const ifindex = uplinks.find(({ name }) => name === question.interface.name)?.ifindex ?? -1;
    const say = (stage: HostStage, packet = question.packet) => {
      const endpoint =
        maps.hostEndpoints.lookup({ interface: ifindex, stage }) ??
        maps.hostEndpoints.lookup({ interface: ANY_INTERFACE, stage });
      return endpoint && said(maps, endpoint, { ...question, packet });
    };
    const { direction, way, packet, written } = question;
    const isOwn = way === "own";
    const first = direction === "ingress" ? { ...packet, ...written } : packet;
    const untracked = direction === "ingress" || isOwn ? say(HostStage.UNTRACKED, first) : undefined;
    if (untracked === PolicyVerdict.ALLOW) return "allow";
    if (
      untracked === PolicyVerdict.DENY &&
      !(isOwn && (isFailsafe(maps, question) || isFailsafe(maps, answer(question))))
    )
      return "deny";
    const early = direction === "ingress" ? say(HostStage.PRE_DNAT, first) : undefined;
    const undecided = early === undefined || early === PolicyVerdict.NEXT;
    const verdict = undecided ? say(isOwn ? HostStage.OWN : HostStage.FORWARDED) : early;
    if (verdict === undefined || verdict === PolicyVerdict.ALLOW) return "allow";
    return isOwn && isFailsafe(maps, question) ? "allow" : "deny";
  };
}

/** Undefined: the direction is not isolated. */
function said(maps: MapStores, endpoint: Endpoint, { direction, packet }: HostQuestion): number | undefined {
  const isIngress = direction === "ingress";
  const isolated = isIngress ? EndpointFlag.INGRESS_ISOLATED : EndpointFlag.EGRESS_ISOLATED;
  if ((endpoint.flags & isolated) === 0) return undefined;
  const { protocol, icmp, destinationPort = 0, sourcePort } = packet;
  const side = isIngress ? Direction.INGRESS : Direction.EGRESS;
  const key = {
    prefixLength: 96,
    policy: policyOf(maps, endpoint, side, isIngress ? packet.destination : packet.source),
    direction: side,
    protocol,
    port: icmp ? (icmp.type << 8) | icmp.code : destinationPort,
  };
  const peer = longestMatch(maps.locations, {
    prefixLength: 128,
    address: isIngress ? packet.source : packet.destination,
  });
  return answerOf(maps.policies, key, peer?.identity ?? 0, sourcePort)?.verdict ?? PolicyVerdict.DENY;
}

/** By who is at the policy's own side of what is forwarded. */
function policyOf(maps: MapStores, { policy, flags }: Endpoint, side: number, address: string): number {
  if ((flags & EndpointFlag.BY_OWN_SIDE) === 0) return policy;
  const { identity = 0 } = longestMatch(maps.locations, { prefixLength: 128, address }) ?? {};
  const key = { prefixLength: 96, policy, identity, direction: side | POLICY_OWN_SIDE, protocol: 0, port: 0 };
  return longestMatch(maps.policies, key)?.rule ?? policy;
}

/** The packet as what the other end may have sent before. */
function answer({ direction, packet, ...rest }: HostQuestion): HostQuestion {
  const { source, destination, sourcePort, destinationPort, ...kind } = packet;
  const back = {
    ...kind,
    ...{ source: destination, destination: source },
    ...(destinationPort !== undefined && { sourcePort: destinationPort }),
    ...(sourcePort !== undefined && { destinationPort: sourcePort }),
  };
  return { ...rest, packet: back, direction: direction === "ingress" ? "egress" : "ingress" };
}

function isFailsafe(maps: MapStores, { direction, packet }: HostQuestion): boolean {
  const { protocol, destinationPort, source, destination } = packet;
  if (destinationPort === undefined) return false;
  const [kind, peer] = direction === "ingress" ? [Direction.INGRESS, source] : [Direction.EGRESS, destination];
  const key = { prefixLength: 160, direction: kind, protocol, port: destinationPort, peer };
  return longestMatch(maps.failsafes, key) !== undefined;
}
