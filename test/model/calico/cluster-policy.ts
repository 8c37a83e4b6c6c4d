// Kubernetes ClusterNetworkPolicy, from the API documentation of policy.networking.k8s.io.

import { matches } from "../network-policy.ts";
import { contains } from "./addresses.ts";
import { type Entity, entitiesAt, labelsOfNamespace } from "./entities.ts";
import type {
  ClusterPolicy,
  ClusterProtocol,
  ClusterRule,
  Direction,
  LabelSelector,
  Packet,
  World,
} from "./objects.ts";
import { PROTOCOLS } from "./rule.ts";

/** "subject defines the pods to which this policy applies"; never pods that use the host's network. */
export function isSubject({ spec }: ClusterPolicy, entity: Entity): boolean {
  return entity.kind === "pod" && podsMatch(spec.subject, entity);
}

function podsMatch(
  peer: { namespaces?: LabelSelector; pods?: { namespaceSelector: LabelSelector; podSelector: LabelSelector } },
  entity: Entity,
): boolean {
  const namespace = labelsOfNamespace(entity);
  if (peer.namespaces) return matches(peer.namespaces, namespace);
  if (!peer.pods) return false;
  return matches(peer.pods.namespaceSelector, namespace) && matches(peer.pods.podSelector, entity.labels);
}

/** "from: the list of peers; protocols: if not set, the rule matches all traffic". */
export function clusterRuleMatches(rule: ClusterRule, world: World, direction: Direction, packet: Packet): boolean {
  const address = direction === "ingress" ? packet.source : packet.destination;
  const pods = entitiesAt(world, address).filter(({ kind }) => kind === "pod");
  const peers = (direction === "ingress" ? rule.from : rule.to) ?? [];
  const isPeer = peers.some(
    (peer) => peer.networks?.some((net) => contains(net, address)) || pods.some((pod) => podsMatch(peer, pod)),
  );
  if (!isPeer) return false;
  const destination = entitiesAt(world, packet.destination);
  return !rule.protocols?.length || rule.protocols.some((one) => protocolMatches(one, destination, packet));
}

function protocolMatches(one: ClusterProtocol, destination: Entity[], packet: Packet): boolean {
  if (one.destinationNamedPort !== undefined)
    return destination.some(({ kind, ports }) =>
      ports.some(
        ({ name, port, protocol }) =>
          kind === "pod" && // "a port on a pod"
          name === one.destinationNamedPort &&
          port === packet.destinationPort &&
          PROTOCOLS[protocol] === packet.protocol,
      ),
    );
  const named = [one.tcp && 6, one.udp && 17, one.sctp && 132].find((number) => number !== undefined);
  if (named !== packet.protocol) return false;
  const wanted = (one.tcp ?? one.udp ?? one.sctp)?.destinationPort;
  const port = packet.destinationPort ?? -1;
  if (!wanted) return true;
  if (wanted.range) return wanted.range.start <= port && port <= wanted.range.end;
  return wanted.number === port;
}
