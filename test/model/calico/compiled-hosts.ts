// What the product makes of a node's own interfaces: the lookups of bpf/policy/host.h and judge.h, on maps in memory.
import {
  ANY_INTERFACE,
  Direction,
  type Endpoint,
  EndpointFlag,
  PolicyVerdict,
} from "../../../agent/kernel/layout.gen.ts";
import type { MapStores } from "../../../agent/kernel/map-store.ts";
import { answerOf, longestMatch } from "../packet-path.ts";
import { compiledMaps, uplinksOf } from "./compiled.ts";
import type { Verdict } from "./evaluate.ts";
import type { HostQuestion } from "./hosts.ts";
import type { World } from "./objects.ts";

/** Of packets from and to the node's own processes. */
export function compiledHostVerdicts(world: World): (question: HostQuestion) => Verdict {
  const maps = compiledMaps(world);
  const uplinks = uplinksOf(world);
  return (question) => {
    const ifindex = uplinks.find(({ name }) => name === question.interface.name)?.ifindex ?? -1;
    const endpoint = maps.hostEndpoints.lookup(ifindex) ?? maps.hostEndpoints.lookup(ANY_INTERFACE);
    return !endpoint || allows(maps, endpoint, question) || isFailsafe(maps, question) ? "allow" : "deny";
  };
}

function allows(maps: MapStores, endpoint: Endpoint, { direction, packet }: HostQuestion): boolean {
  const isIngress = direction === "ingress";
  if ((endpoint.flags & (isIngress ? EndpointFlag.INGRESS_ISOLATED : EndpointFlag.EGRESS_ISOLATED)) === 0) return true;
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
  return answerOf(maps.policies, key, peer?.identity ?? 0, sourcePort)?.verdict === PolicyVerdict.ALLOW;
}

function isFailsafe(maps: MapStores, { direction, packet }: HostQuestion): boolean {
  const { protocol, destinationPort, source, destination } = packet;
  if (destinationPort === undefined) return false;
  const [kind, peer] = direction === "ingress" ? [Direction.INGRESS, source] : [Direction.EGRESS, destination];
  const key = { prefixLength: 160, direction: kind, protocol, port: destinationPort, peer };
  return longestMatch(maps.failsafes, key) !== undefined;
}
