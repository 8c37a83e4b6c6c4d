// What policies say of packets at a node's own interfaces, by Calico's documentation ("Host endpoint", "Host endpoints": failsafe rules, pre-DNAT
// policy, untracked policy, apply on forwarded traffic, summary) and upstream's tierInfoToProtoTierInfo (felix/calc/event_sequencer.go).
import { contains } from "./addresses.ts";
import { allHostEndpoints } from "./automatic.ts";
import { hostEntity, podEntity } from "./entities.ts";
import { podVerdict, tiersOf, tiersSay, type Verdict } from "./evaluate.ts";
import { remembered, isMisunderstood as wrong } from "./misunderstood.ts";
import type { Direction, HostEndpoint, Packet, World } from "./objects.ts";
import { type AnyPolicy, policiesOf } from "./policies.ts";

export interface Interface {
  name: string;
  addresses: string[];
}

/** A packet at one interface of a node: from or to the node's own processes, or on its way to somebody else. */
export interface HostQuestion {
  node: string;
  interface: Interface;
  /** Ingress: it comes in there. */
  direction: Direction;
  way: "own" | "forwarded";
  /** After the translation of services. */
  packet: Packet;
  /** What the client wrote, where a service translated it. */
  written?: { destination: string; destinationPort: number };
}

export interface Failsafe {
  protocol: number;
  port: number;
  /** Absent: of everybody. */
  net?: string;
}

const tcp = (...ports: number[]): Failsafe[] => ports.map((port) => ({ protocol: 6, port }));
const udp = (...ports: number[]): Failsafe[] => ports.map((port) => ({ protocol: 17, port }));

/** "Failsafe rules": upstream's defaults (felix/config, config_params.go). */
export const FAILSAFES: Record<Direction, readonly Failsafe[]> = {
  ingress: [...tcp(22, 179, 2379, 2380, 5473, 6443, 6666, 6667), ...udp(68)],
  egress: [...tcp(179, 2379, 2380, 5473, 6443, 6666, 6667), ...udp(53, 67)],
};

export function hostVerdict(whole: World, question: HostQuestion, failsafes = FAILSAFES): Verdict {
  const endpoint = endpointAt(whole, question.node, question.interface);
  return endpoint ? verdictAt(endpoint, whole, question, failsafes) : "allow";
}

/** What a pod of the node `master` sends to it: "defaultEndpointToHostAction ... after the endpoint's egress policy is applied. Accept: to
 * accept unconditionally, Return: to go on with the host's own rules", which are those of the host endpoint of all interfaces. Accept is the
 * default here (Calico's manifests and operator set it). */
export function ownNodeVerdict(world: World, packet: Packet, failsafes = FAILSAFES): Verdict {
  return egressToOwnNode(world, packet) === "deny" ? "deny" : atOwnNode(world, packet, failsafes);
}

/** What the pod's own policies say of it: "after the endpoint's egress policy is applied", all of them in their order. Kubernetes' policies alone
 * never do: "traffic to and from the node where a Pod is running is always allowed". */
export function egressToOwnNode(world: World, packet: Packet): Verdict {
  const pod = world.pods.find(({ status }) => status.podIPs.some(({ ip }) => ip === packet.source));
  if (!pod || wrong("a pod's egress ends at its node")) return "allow";
  const entity = podEntity(world, pod);
  const isAsked = policiesOf(world).some(
    ({ kind, stage, types, appliesTo }) =>
      stage === "normal" &&
      types.includes("egress") &&
      appliesTo(entity) &&
      (CALICO.has(kind) || wrong("Kubernetes' egress counts at the own node")),
  );
  return isAsked ? podVerdict(world, entity, "egress", packet) : "allow";
}

const CALICO = new Set(["NetworkPolicy", "GlobalNetworkPolicy"]);

function atOwnNode(world: World, packet: Packet, failsafes: Record<Direction, readonly Failsafe[]>): Verdict {
  const [
    {
      spec: { defaultEndpointToHostAction: said = "Accept" },
    } = { spec: {} },
  ] = world.felixConfigurations;
  const action = wrong("pods always reach their node")
    ? "Accept"
    : wrong("Return accepts") && said === "Return"
      ? "Accept"
      : said;
  if (action === "Accept") return "allow";
  if (action === "Drop")
    return wrong("Drop has fail-safe ports") && isFailsafe(failsafes, "ingress", packet) ? "allow" : "deny";
  const endpoint = hostsOf(world, "master").find(({ spec }) => spec.interfaceName === "*");
  const at = { name: "*", addresses: [packet.destination] };
  const question: HostQuestion = { node: "master", interface: at, direction: "ingress", way: "own", packet };
  return endpoint ? verdictAt(endpoint, normalOf(world), question, failsafes) : "allow";
}

/** Pods' packets are not those of an interface that a host endpoint stands for: what comes before the host's own rules is not asked. */
function normalOf(world: World): World {
  return remembered(world, "normal", () => ({
    ...world,
    globalNetworkPolicies: world.globalNetworkPolicies.filter(({ spec }) => !spec.preDNAT && !spec.doNotTrack),
  }));
}

function verdictAt(
  endpoint: HostEndpoint,
  whole: World,
  question: HostQuestion,
  failsafes: Record<Direction, readonly Failsafe[]>,
): Verdict {
  const world = withOwnAddresses(whole, endpoint, question.interface);
  const { direction, way, packet } = question;
  const late = wrong("fail-safe ports come last");
  if (
    (way === "own" || wrong("forwarded traffic has fail-safe ports")) &&
    !late &&
    isFailsafe(failsafes, direction, packet)
  )
    return "allow";
  const entity = hostEntity(endpoint.metadata, endpoint.spec.ports);
  const policies = policiesOf(world).filter((policy) => policy.appliesTo(entity) && policy.types.includes(direction));
  const of = (stage: AnyPolicy["stage"]) => policies.filter((policy) => policy.stage === stage);
  // "Egress rules apply only to traffic that is sent from the host endpoint", and not by a pod or another host.
  const isUntracked = direction === "ingress" || way === "own" || wrong("doNotTrack is asked about what pods send");
  // Both see what the client wrote.
  const { written } = question;
  const first =
    direction === "ingress" && written && !wrong("preDNAT sees the translation") ? { ...packet, ...written } : packet;
  const asked = [
    isUntracked ? untracked(before(world, of("doNotTrack"), direction, first), question, failsafes) : undefined,
    // "Pre-DNAT policies ... apply to ingress".
    direction === "ingress" ? before(world, of("preDNAT"), direction, first) : undefined,
  ];
  if (wrong("doNotTrack comes after preDNAT")) asked.reverse();
  const early = asked.find((verdict) => verdict !== undefined);
  if (early === "deny" || (early && !wrong("preDNAT allows for itself alone"))) return early;
  return way === "own"
    ? own(world, endpoint, of("normal"), direction, packet)
    : forwarded(world, endpoint, of("normal"), direction, packet);
}

/** Without connections, what comes back from a fail-safe port is told by its source port: it is not denied here, and later policies are asked
 * (felix/rules/static.go, failsafeInChain of the raw table). */
function untracked(
  said: Verdict | undefined,
  { way, direction, packet }: HostQuestion,
  failsafes: Record<Direction, readonly Failsafe[]>,
): Verdict | undefined {
  if (said !== "deny" || way !== "own" || wrong("fail-safe ports have no answers")) return said;
  return isFailsafe(failsafes, direction === "ingress" ? "egress" : "ingress", answerTo(packet)) ? undefined : said;
}

/** The endpoint is itself at its own side of a rule, whatever its expectedIPs are. Upstream asks for expectedIPs there too, without which
 * such a rule matches nothing. */
function withOwnAddresses(world: World, endpoint: HostEndpoint, { name, addresses }: Interface): World {
  return remembered(world, `${endpoint.metadata.name} at ${name} ${addresses}`, () => ({
    ...world,
    kubeControllersConfigurations: [],
    hostEndpoints: allHostEndpoints(world).map((one) =>
      one === endpoint
        ? { ...one, spec: { ...one.spec, expectedIPs: [...(one.spec.expectedIPs ?? []), ...addresses] } }
        : one,
    ),
  }));
}

/** "A host endpoint without policy is closed"; one whose tiers all passed is left to its profiles, and only an automatic one has one. */
function own(
  world: World,
  { spec }: HostEndpoint,
  policies: readonly AnyPolicy[],
  direction: Direction,
  packet: Packet,
): Verdict {
  const said = tiersSay(tiersOf(world), policies, direction, packet);
  if (said) return said;
  if (wrong("a host endpoint without policy is open")) return "allow";
  if (wrong("an automatic host endpoint is closed")) return "deny";
  return spec.profiles?.includes("projectcalico-default-allow") ? "allow" : "deny";
}

/** "Forwarded traffic is allowed if no policy with applyOnForward applies to the endpoint and direction". */
function forwarded(
  world: World,
  endpoint: HostEndpoint,
  policies: readonly AnyPolicy[],
  direction: Direction,
  packet: Packet,
): Verdict {
  const all = wrong("every policy is applied to forwarded traffic");
  const applied = policies.filter(({ applyOnForward }) => applyOnForward || all);
  if (wrong("the own side of forwarded traffic is the host endpoint"))
    return tiersSay(tiersOf(world), applied, direction, atItself(endpoint, direction, packet)) ?? "allow";
  if (wrong("the endpoint's default ends forwarded traffic") && applied.length > 0)
    return own(world, endpoint, applied, direction, packet);
  return tiersSay(tiersOf(world), applied, direction, packet) ?? (wrong("forwarded is closed") ? "deny" : "allow");
}

function atItself({ spec }: HostEndpoint, direction: Direction, packet: Packet): Packet {
  const [own = packet.destination] = spec.expectedIPs ?? [];
  return direction === "ingress" ? { ...packet, destination: own } : { ...packet, source: own };
}

/** Of policies before the others: what they do not decide goes on, whatever their tiers' default actions are. */
function before(
  world: World,
  policies: readonly AnyPolicy[],
  direction: Direction,
  packet: Packet,
): Verdict | undefined {
  const strict = wrong("preDNAT ends in the default action");
  const tiers = tiersOf(world).map((tier) => (strict ? tier : { ...tier, end: "Pass" as const }));
  return tiersSay(tiers, policies, direction, packet);
}

/** What the packet may be the answer to. */
function answerTo({ source, destination, sourcePort, destinationPort, ...rest }: Packet): Packet {
  return {
    ...rest,
    ...{ source: destination, destination: source },
    ...(destinationPort !== undefined && { sourcePort: destinationPort }),
    ...(sourcePort !== undefined && { destinationPort: sourcePort }),
  };
}

function isFailsafe(failsafes: Record<Direction, readonly Failsafe[]>, direction: Direction, packet: Packet): boolean {
  const peer = direction === "ingress" ? packet.source : packet.destination;
  const list =
    wrong("fail-safe ports of the other direction") && direction === "egress"
      ? failsafes.ingress
      : failsafes[direction];
  return list.some(
    ({ protocol, port, net }) =>
      protocol === packet.protocol && port === packet.destinationPort && (!net || contains(net, peer)),
  );
}

/** The endpoint of an interface: by its name, by one of its addresses where none is named, or that of all interfaces. Of several the
 * first by name (endpoint_mgr.go, resolveHostEndpoints). */
function endpointAt(world: World, node: string, { name, addresses }: Interface): HostEndpoint | undefined {
  const here = hostsOf(world, node);
  const any = here.find(({ spec }) => spec.interfaceName === "*");
  if (wrong("* wins") && any) return any;
  return (
    here.find(({ spec }) =>
      spec.interfaceName
        ? spec.interfaceName === name
        : (spec.expectedIPs ?? []).some((address) => addresses.includes(address)),
    ) ?? any
  );
}

function hostsOf(world: World, node: string): HostEndpoint[] {
  return allHostEndpoints(world)
    .filter(({ spec }) => spec.node === node || wrong("host endpoints of other nodes"))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1) * (wrong("the last host endpoint wins") ? -1 : 1));
}
