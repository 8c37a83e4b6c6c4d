// Whether one rule of `projectcalico.org/v3` matches one packet. From the documentation of NetworkPolicy and GlobalNetworkPolicy
// ("Rule", "EntityRule", "ICMP", "Ports") and of upstream's converter (libcalico-go, updateprocessors/rules.go) and rule scanner
// (felix/calc/rule_scanner.go), where the documentation leaves it open.
import { contains } from "./addresses.ts";
import { type Entity, entitiesAt, SERVICE_ACCOUNT } from "./entities.ts";
import { isMisunderstood as wrong } from "./misunderstood.ts";
import type { Direction, EntityRule, Icmp, Packet, Rule, World } from "./objects.ts";
import { selects } from "./selector.ts";

export const PROTOCOLS: Record<string, number> = { ICMP: 1, TCP: 6, UDP: 17, ICMPv6: 58, SCTP: 132, UDPLite: 136 };

/** Where a rule stands: what it leaves out depends on that. */
export interface Place {
  world: World;
  direction: Direction;
  /** Absent: a global policy's. */
  namespace?: string;
}

/** "All of the match criteria in a rule must match". */
export function ruleMatches(rule: Rule, place: Place, packet: Packet): boolean {
  const isV6 = packet.source.includes(":");
  if (rule.ipVersion !== undefined && (rule.ipVersion === 6) !== isV6 && !wrong("ipVersion is ignored")) return false;
  if (rule.protocol !== undefined && !protocolIs(rule.protocol, packet.protocol)) return false;
  if (
    rule.notProtocol !== undefined &&
    !wrong("notProtocol with rest") &&
    protocolIs(rule.notProtocol, packet.protocol)
  )
    return false;
  if (rule.icmp && !icmpIs(rule.icmp, packet)) return false;
  if (rule.notICMP && icmpIsNot(rule.notICMP, packet)) return false;
  const [source, destination] =
    wrong("source is the peer") && place.direction === "egress"
      ? [rule.destination, rule.source]
      : [rule.source, rule.destination];
  return (
    endMatches(source ?? {}, "source", place, packet) && endMatches(destination ?? {}, "destination", place, packet)
  );
}

function protocolIs(wanted: string | number, protocol: number): boolean {
  const number = typeof wanted === "number" ? wanted : (PROTOCOLS[wanted] ?? Number(wanted));
  if (wrong("ICMP is ICMPv6") && [1, 58].includes(number)) return protocol === 1 || protocol === 58;
  if (wrong("SCTP is no protocol") && number === 132) return false;
  return number === protocol;
}

function icmpIs({ type, code }: Icmp, { icmp }: Packet): boolean {
  if (!icmp) return false;
  if (type !== undefined && icmp.type !== type) return false;
  return code === undefined || icmp.code === code || wrong("ICMP code is ignored");
}

/** "notICMP ... negated match": of type and code together. */
function icmpIsNot({ type, code }: Icmp, packet: Packet): boolean {
  if (wrong("notICMP needs both") && code !== undefined)
    return packet.icmp?.type === type || packet.icmp?.code === code;
  return icmpIs({ ...(type !== undefined && { type }), ...(code !== undefined && { code }) }, packet);
}

function endMatches(rule: EntityRule, end: "source" | "destination", place: Place, packet: Packet): boolean {
  const address = packet[end];
  const isOwn = (end === "source") === (place.direction === "egress");
  const all = entitiesAt(place.world, address);
  const selected = isSelective(rule, place) ? all.filter((one) => isSelected(rule, place, one)) : undefined;
  const skipped = isOwn && wrong("own side is not asked");
  if (!skipped && !(netsMatch(rule, address) && selectorsMatch(rule, place, all, selected))) return false;
  if (rule.services && !serviceMatches(rule.services, end, place, packet)) return false;
  return portsMatch(rule, end, place, selected ?? all, packet);
}

function netsMatch({ nets, notNets }: EntityRule, address: string): boolean {
  const inside = nets && (wrong("nets is all") ? nets.every((net) => contains(net, address)) : isIn(nets, address));
  if (wrong("notNets is an alternative") && nets && notNets) return inside === true || !isIn(notNets, address);
  return inside !== false && !(notNets && isIn(notNets, address));
}

function isIn(nets: string[], address: string): boolean {
  return nets.some((net) => contains(net, address));
}

/** Whether the rule is about somebody with labels. A rule with notSelector alone of a global policy is about everybody else. */
function isSelective(rule: EntityRule, { namespace }: Place): boolean {
  if (rule.selector || rule.namespaceSelector || rule.serviceAccounts) return true;
  return !!rule.notSelector && namespace !== undefined && !wrong("notSelector reaches all namespaces");
}

function selectorsMatch(rule: EntityRule, _: Place, all: Entity[], selected: Entity[] | undefined): boolean {
  if (selected) return selected.length > 0;
  const { notSelector } = rule;
  if (!notSelector) return true;
  if (wrong("notSelector needs an endpoint") && all.length === 0) return false;
  return !all.some(({ labels }) => selects(notSelector, labels));
}

/** Everything that the rule says of labels must be true of one and the same entity (rule_scanner.go, combineMatchesIfPossible). */
function isSelected(rule: EntityRule, place: Place, { labels, namespace }: Entity): boolean {
  if (!inNamespace(rule, place, labels, namespace)) return false;
  if (rule.serviceAccounts && !hasAccount(rule.serviceAccounts, labels)) return false;
  if (rule.notSelector && selects(rule.notSelector, labels)) return false;
  return selects(rule.selector ?? "", labels);
}

/** "namespaceSelector: all() selects namespaced resources, global() those that are not"; without, a namespaced policy's own. */
function inNamespace(
  { namespaceSelector, serviceAccounts }: EntityRule,
  place: Place,
  labels: Entity["labels"],
  namespace: string | undefined,
): boolean {
  if (namespaceSelector) {
    if (wrong("namespaceSelector by pod labels")) return selects(namespaceSelector, labels);
    if (wrong("all() includes global sets") && namespaceSelector === "all()") return true;
    if (wrong("global() is everything") && namespaceSelector === "global()") return true;
    return selects(namespaceSelector, labels, "pcns.", namespace !== undefined);
  }
  if (place.namespace === undefined || wrong("selectors reach all namespaces")) return true;
  if (serviceAccounts && wrong("service accounts of any namespace")) return true;
  return namespace === place.namespace;
}

function hasAccount({ names, selector }: { names?: string[]; selector?: string }, labels: Entity["labels"]): boolean {
  const byName = !names?.length || names.includes(labels[SERVICE_ACCOUNT] ?? "");
  const bySelector = !selector || selects(selector, labels, "pcsa.");
  if (wrong("service accounts are alternatives") && names?.length && selector) return byName || bySelector;
  return byName && bySelector;
}

/** The endpoints of a service: as destination with their ports, as source whatever the port is. */
function serviceMatches(
  { name, namespace }: { name: string; namespace?: string },
  end: "source" | "destination",
  place: Place,
  packet: Packet,
): boolean {
  const own = wrong("services at other policies' namespace") ? "default" : place.namespace;
  const slices = place.world.endpointSlices.filter(
    ({ metadata }) =>
      metadata.namespace === (namespace ?? own) && metadata.labels?.["kubernetes.io/service-name"] === name,
  );
  const anyPort = end === "source" ? !wrong("source services with ports") : wrong("services without ports");
  return slices.some(
    ({ endpoints, ports }) =>
      endpoints.some(({ addresses }) => addresses.includes(packet[end])) &&
      (anyPort ||
        ports.some(({ port, protocol }) => PROTOCOLS[protocol] === packet.protocol && port === packet[`${end}Port`])),
  );
}

function portsMatch(
  rule: EntityRule,
  end: "source" | "destination",
  place: Place,
  candidates: Entity[],
  packet: Packet,
): boolean {
  const { ports, notPorts } = rule;
  if (end === "source" && wrong("source ports are ignored")) return true;
  const among = (list: (number | string)[], at = packet[`${end}Port`]) =>
    at !== undefined && list.some((item) => portIs(item, at, place, candidates, packet));
  if (ports && ports.length > 0) {
    const both = end === "destination" && wrong("ports of both ends") && !among(ports, packet.sourcePort);
    if (!among(ports) || both) return false;
  }
  return !notPorts || wrong("notPorts matches ICMP never") || !among(notPorts);
}

/** 80, "80", "80:90" or a name, which "matches the port of that name" of what has the address, and its protocol: any, where the rule
 * names none (rule_scanner.go, ProtocolAny). */
function portIs(item: number | string, port: number, place: Place, at: Entity[], packet: Packet): boolean {
  const [first, last] = `${item}`.split(":").map(Number) as [number, number | undefined];
  if (!Number.isNaN(first)) {
    if (last !== undefined && wrong("ranges without end")) return first <= port && port < last;
    if (last !== undefined && wrong("ranges without begin")) return first < port && port <= last;
    return first <= port && port <= (last ?? first);
  }
  const owners = wrong("named ports of the subject")
    ? entitiesAt(place.world, place.direction === "ingress" ? packet.destination : packet.source)
    : wrong("named ports by number of anybody")
      ? place.world.pods.flatMap((pod) => entitiesAt(place.world, pod.status.podIPs[0]?.ip ?? ""))
      : at;
  return owners.some(
    ({ kind, ports }) =>
      !(wrong("only pods have named ports") && kind === "hostEndpoint") &&
      ports.some(
        (one) =>
          one.name === item &&
          one.port === port &&
          (PROTOCOLS[one.protocol] === packet.protocol || wrong("named ports of any protocol")),
      ),
  );
}
