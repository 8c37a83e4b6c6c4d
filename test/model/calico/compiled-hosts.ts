// What the product makes of a node's own interfaces: the lookups of bpf/policy/host.h and judge.h, on maps in memory.
import {
  ANY_INTERFACE,
  Direction,
  type Endpoint,
  EndpointFlag,
  HostStage,
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
    const untracked = say(HostStage.UNTRACKED, first);
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
  const key = {
    prefixLength: 96,
    policy: endpoint.policy,
    direction: isIngress ? Direction.INGRESS : Direction.EGRESS,
    protocol,
    port: icmp ? (icmp.type << 8) | icmp.code : destinationPort,
  };
  const peer = longestMatch(maps.locations, {
    prefixLength: 128,
    address: isIngress ? packet.source : packet.destination,
  });
  return answerOf(maps.policies, key, peer?.identity ?? 0, sourcePort)?.verdict ?? PolicyVerdict.DENY;
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
