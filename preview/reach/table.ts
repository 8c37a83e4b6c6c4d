import { familyOf, hostCidr, parseCidr } from "../../model/address/address.ts";
import { compare } from "../declared/machines.ts";
import { type Service, shortName, type Workload } from "../declared/objects.ts";
import { backendsOf, type Cast, type Host } from "./cast.ts";
import {
  type Answer,
  ELSEWHERE,
  type Peer,
  type Reachability,
  reachabilityOf,
  type Target,
  type Through,
} from "./reachability.ts";

/** Whether a client reaches a destination, and the objects that decide. */
export interface ReachRow {
  /** A client, pods by the name of their controller, or other senders in words. */
  from: string;
  /** "nginx:80", "kube-system/kube-dns:53/udp". */
  to: string;
  verdict: Reachability | "rejected" | "no way in";
  policies: string[];
}

/** A sender, with its name for people. */
export interface NamedPeer {
  name: string;
  peer: Peer;
  /** Comes from outside the cluster. */
  outside: boolean;
  /** Who it is as well: there is a row for it only where the two are treated differently. Of a machine at its IPv6 address it is the machine at
   * its IPv4 address. */
  alsoAs?: NamedPeer;
}

/** A port of a service, or of pods that no service names. */
export interface NamedTarget {
  name: string;
  service?: Service;
  /** As flows name it, "shop/web:http". */
  servicePort?: string;
  targets: Target[];
}

/** The verdict for every pair of a sender and a declared port. Pure, in an order that does not depend on the program's. */
export function reachTable(cast: Cast): ReachRow[] {
  const ask = askerOf(cast);
  const peers = peersOf(cast);
  return targetsOf(cast).flatMap((target) =>
    peers
      .filter(({ peer }) => !isItself(peer, target))
      .map((peer) => ({ peer, answer: ask(peer, target) }))
      .filter(({ peer: { alsoAs }, answer }) => !alsoAs || ask(alsoAs, target).verdict !== answer.verdict)
      .map(({ peer, answer }) => ({ from: peer.name, to: target.name, ...answer })),
  );
}

type Asked = Pick<ReachRow, "verdict" | "policies">;

/** Asks about a port of a service: whichever of its pods may answer. */
export function askerOf(cast: Cast): (from: NamedPeer, to: NamedTarget) => Asked {
  const ask = reachabilityOf(cast);
  return ({ peer, outside }, { service, servicePort, targets }) => {
    if (targets.length === 0) return { verdict: "rejected", policies: [] };
    if (service && outside && !isOpenOutside(service)) return { verdict: "no way in", policies: [] };
    const seen = service && outside ? seenAs(cast, service, peer, targets) : [peer];
    const through: Through | undefined = outside && servicePort ? { service: servicePort, client: peer } : undefined;
    const answers = targets.flatMap((target) => seen.map((one) => ask(one, target, through)));
    return { verdict: agreed(answers), policies: [...new Set(answers.flatMap(({ policies }) => policies))].sort() };
  };
}

/** With kube-proxy pods see the node by which a connection entered, and of policies' business is that node. */
function seenAs({ keepsSource, nodes }: Cast, { spec }: Service, peer: Peer, targets: Target[]): Peer[] {
  if (keepsSource || spec.externalTrafficPolicy === "Local" || nodes.length === 0) return [peer];
  const bound = targets.map(({ workload }) => workload.node);
  // What enters by the pods' own node comes from there too, and a pod's own node is never kept out.
  const others = nodes.filter(({ name }) => !bound.includes(name));
  const seen = others.length > 0 ? others : nodes;
  const overIpv6 = peer.kind === "address" && familyOf(peer.address) === "IPv6";
  return seen.map(({ address, addressIpv6 = address }) => ({
    kind: "address",
    address: overIpv6 ? addressIpv6 : address,
  }));
}

function isOpenOutside({ spec }: Service): boolean {
  return spec.type === "NodePort" || spec.type === "LoadBalancer" || spec.externalIPs.length > 0;
}

function agreed(answers: Answer[]): Reachability {
  const [first, ...others] = answers.map(({ verdict }) => verdict);
  return first !== undefined && others.every((verdict) => verdict === first) ? first : "depends";
}

/** Clients, declared pods, pods that are not declared, nodes, blocks that policies name, and everybody else. */
export function peersOf({ clients, nodes, workloads, policies }: Cast): NamedPeer[] {
  // Pods in the host's network come from their node's address.
  const sending = workloads.filter(({ hostNetwork }) => !hostNetwork);
  const homes = [...new Set(sending.map(({ namespace }) => namespace))].sort();
  const known = new Set(
    clients.flatMap(({ address, addressIpv6 = address }) => [address, addressIpv6].map((one) => hostCidr(one).text)),
  );
  const blocks = new Set(blocksOf(policies));
  const others = [...blocks].filter((block) => !known.has(block) && !block.endsWith("/0")).sort();
  return [
    ...clients.flatMap(ofClient),
    ...byName(sending).map((workload) => inside(shortName(workload), { kind: "workload", workload })),
    ...homes.map((namespace) => inside(`other pods of ${namespace}`, { kind: "stranger", namespace })),
    inside("pods of other namespaces", { kind: "stranger", namespace: ELSEWHERE }),
    // A pod's own node is never blocked (NetworkPolicy documentation), so it is not listed.
    ...(nodes.length > 0 ? [inside("other nodes", { kind: "nodes" })] : []),
    ...others.map((cidr) => outside(cidr, { kind: "blocks", cidrs: [cidr] })),
    ...setsOf(policies).map(({ name, cidrs }) => ({ ...outside(name, { kind: "blocks", cidrs }), alsoAs: ANYWHERE })),
    ANYWHERE,
  ];
}

/** Network sets, which rules select by their labels. */
function setsOf({ networkSets = [], globalNetworkSets = [] }: Cast["policies"]): { name: string; cidrs: string[] }[] {
  return [
    ...networkSets.map(({ metadata: { name, namespace }, spec }) => ({
      name: `NetworkSet ${shortName({ name, namespace: namespace ?? "default" })}`,
      cidrs: spec.nets,
    })),
    ...globalNetworkSets.map(({ metadata, spec }) => ({ name: `GlobalNetworkSet ${metadata.name}`, cidrs: spec.nets })),
  ]
    .filter(({ cidrs }) => cidrs.length > 0)
    .sort((a, b) => compare(a.name, b.name));
}

/** The blocks of senders that policies tell apart. */
function blocksOf(policies: Cast["policies"]): string[] {
  const { networkPolicies, calicoNetworkPolicies = [], globalNetworkPolicies = [] } = policies;
  return [
    ...networkPolicies
      .flatMap(({ spec }) => spec.ingress.flatMap(({ from }) => from))
      .flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...ipBlock.except] : [])),
    ...[...calicoNetworkPolicies, ...globalNetworkPolicies]
      .flatMap(({ spec }) => spec.ingress)
      .flatMap(({ source }) => [...source.nets, ...source.notNets]),
  ].map((cidr) => parseCidr(cidr).text);
}

/** A client at each of its addresses. */
function ofClient({ name, address, addressIpv6 }: Host): NamedPeer[] {
  const client = outside(name, { kind: "address", address });
  if (addressIpv6 === undefined) return [client];
  return [client, { ...outside(`${name} over IPv6`, { kind: "address", address: addressIpv6 }), alsoAs: client }];
}

const outside = (name: string, peer: Peer): NamedPeer => ({ name, peer, outside: true });
const inside = (name: string, peer: Peer): NamedPeer => ({ name, peer, outside: false });
const ANYWHERE = outside("other addresses", { kind: "blocks", cidrs: ["0.0.0.0/0"] });

/** Ports of services, then ports of containers that no service leads to. */
export function targetsOf(cast: Cast): NamedTarget[] {
  const ofServices = byName(cast.services)
    .filter(({ spec }) => spec.type !== "ExternalName" && Object.keys(spec.selector).length > 0)
    .flatMap((service) => servicePorts(cast, service));
  const led = new Set(ofServices.flatMap(({ targets }) => targets.map(({ workload }) => workload)));
  // Nodes' own addresses are of policies' business where there are host endpoints.
  const asksHosts = hasHostEndpoints(cast);
  const alone = byName(cast.workloads).filter((workload) => !led.has(workload) && (asksHosts || !workload.hostNetwork));
  return [...ofServices, ...alone.flatMap(containerTargets)];
}

function hasHostEndpoints({
  hosts: { hostEndpoints = [], kubeControllersConfigurations: [configuration] = [] },
}: Cast) {
  return hostEndpoints.length > 0 || configuration?.spec.autoCreate === true;
}

/** Each port of a service with the pods' ports behind it. */
export function servicePorts(cast: Cast, service: Service): NamedTarget[] {
  const backends = backendsOf(cast, service);
  return service.spec.ports.map(({ name, port, protocol, targetPort }) => ({
    name: `${shortName(service)}:${port}${protocol === "TCP" ? "" : `/${protocol.toLowerCase()}`}`,
    service,
    servicePort: `${service.namespace}/${service.name}${name ? `:${name}` : ""}`,
    targets: backends.map((workload) => ({ workload, protocol, port: targetPort ?? port })),
  }));
}

function containerTargets(workload: Workload): NamedTarget[] {
  const ports = workload.containers.flatMap(({ ports: written }) => (Array.isArray(written) ? written : []));
  return ports.map(({ containerPort, protocol = "TCP" }) => ({
    name: `pods ${shortName(workload)}:${containerPort}${protocol === "TCP" ? "" : `/${String(protocol).toLowerCase()}`}`,
    targets: [{ workload, protocol, port: containerPort }],
  }));
}

/** A workload with one pod has no other pod to connect to. */
function isItself(peer: Peer, { targets }: NamedTarget): boolean {
  return (
    peer.kind === "workload" &&
    peer.workload.replicas === 1 &&
    targets.length > 0 &&
    targets.every(({ workload }) => workload === peer.workload)
  );
}

function byName<Named extends { namespace: string; name: string }>(items: Named[]): Named[] {
  return [...items].sort((a, b) => compare(shortName(a), shortName(b)));
}
