// What changed host endpoints would say of the flows of a log, node by node, as each node's agent would.
import { type Address, familyOf, parseCidr } from "../address/address.ts";
import { Latest } from "../memo.ts";
import { nodeDirectory } from "../node/nodes.ts";
import type { FelixConfiguration } from "../objects/calico.ts";
import { type Node, node as nodeSchema, type Service } from "../objects/core.ts";
import { compileCalicoPolicy } from "../policy/calico-policy.ts";
import { failsafesOf } from "../policy/failsafes.ts";
import { HostDirectories } from "../policy/host-directory.ts";
import { hostsOf as allHosts, type HostObjects, labelledAddresses } from "../policy/hosts.ts";
import type { Labels } from "../policy/selector.ts";
import type { NodeHosts } from "./host-stages.ts";
import { FlowJudge } from "./judge.ts";
import { eitherOf, type Judged, type JudgedFlow, strictest, type WrittenTo } from "./judged.ts";
import type { HostPeers, JudgedBy } from "./judged-by.ts";
import type { FlowEnd } from "./record.ts";
import type { Report, SeenFlow, SeenFlows } from "./seen.ts";
import { UntoldHosts } from "./untold-hosts.ts";
import { portNamed, writtenTo } from "./written.ts";

/** Objects that decide about host endpoints beside policies. */
export interface HostInputs extends Omit<HostObjects, "nodes"> {
  readonly configuration?: FelixConfiguration | undefined;
  /** Whether packets between pods of different nodes travel in the tunnel. */
  readonly wraps: NodeHosts["wraps"];
  /** Those whose ports clients use. */
  readonly services: readonly Service[];
}

/** Of a node that a log names without its address. */
const UNKNOWN = "0.0.0.0";
const NOWHERE = { nodeName: "", address: UNKNOWN, localAddresses: [], subnets: [], serviceSubnet: "" };

interface KnownNode {
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly object: Node;
  readonly told: Told | undefined;
}

type Told = SeenFlows["hosts"] extends ReadonlyMap<string, infer One> ? One : never;
type NodeEnd = Extract<FlowEnd, { kind: "node" }>;

type PassingFlow = Pick<SeenFlow, "from" | "to" | "service" | "reports">;
type AskedFlow = PassingFlow & Pick<SeenFlow, "protocol" | "port" | "icmp" | "isOwnNode">;
type Heard = (objects: string) => void;

/** Judges flows at the nodes that report them, at those that are ends of them, and of what came in for a Service at the nodes by which it may have. */
export class HostJudges {
  readonly #judges = new Map<string, FlowJudge>();
  /** Of the flow that was asked about last. */
  readonly #atEntries = new Latest<Map<string, { readonly judged: Judged; readonly objects: readonly string[] }>>();
  readonly #inputs: HostInputs;
  readonly #nodes: ReadonlyMap<string, KnownNode>;
  /** How rules of all policies find the addresses of host endpoints. */
  readonly peers: HostPeers;

  /** @param flows all that will be judged */
  constructor(
    by: JudgedBy,
    inputs: HostInputs,
    { flows, hosts }: { flows: readonly PassingFlow[] } & Pick<SeenFlows, "hosts">,
  ) {
    this.#inputs = inputs;
    this.#nodes = new Map(nodesOf(by, flows, hosts).map((node) => [node.name, node]));
    const known = [...this.#nodes.values()];
    const nodes = known.map(({ object }) => object);
    const untold = untoldHosts(known, inputs, by);
    const peers = labelledAddresses(allHosts({ ...inputs, nodes }), nodeDirectory(nodes, NOWHERE));
    this.peers = { labels: peers, ...(untold && { untold }) };
    for (const node of known) {
      const own = hostsOf(node, nodes, inputs, by.pools, untold);
      const seen = flows.filter((flow) => mayPass(flow, node.name));
      const isAsked = own.directory.subjects.size > 0 || own.toHost === "Drop";
      if (isAsked && seen.length > 0)
        this.#judges.set(node.name, new FlowJudge({ ...by, hosts: own, hostPeers: this.peers }, seen));
    }
  }

  /** Labels of all host endpoints. */
  get labels(): readonly Labels[] {
    const told = [...this.#nodes.values()].filter((node) => node.told);
    return allHosts({ ...this.#inputs, nodes: told.map(({ object }) => object) }).map(({ labels }) => labels);
  }

  /** Whether any node has host endpoints. */
  get isAsked(): boolean {
    return this.#judges.size > 0;
  }

  /** What host endpoints say of it. Pods' own policies are not asked. @param heard the objects that are asked, each time */
  judge(flow: AskedFlow, heard?: Heard): Judged {
    if (flow.isOwnNode || this.#judges.size === 0) return { verdict: "allowed" };
    return strictest(placesOf(flow).map((place) => this.#atPlace(flow, place, heard)));
  }

  #atPlace(flow: AskedFlow, { node, at }: Report, heard: Heard | undefined): Judged {
    const { service, from } = flow;
    if (service === undefined || from.kind === "pods" || at === "source" || at === "both")
      return this.#asked(node, { ...flow, at, isFromEntry: false }, heard);
    const isSentOn = at === "destination" && this.#sendsOn(service);
    const received = this.#received(node, flow, at, heard);
    const entries = [...this.#nodes.keys()].filter((name) => isSentOn && name !== node);
    if (entries.length === 0) return received;
    const sentOn = this.#asked(node, { ...flow, at, isFromEntry: true }, heard);
    return eitherOf([received, ...entries.map((entry) => strictest([this.#atEntry(entry, flow, heard), sentOn]))]);
  }

  /** Where it comes in that is sent on, to whichever node. */
  #atEntry(entry: string, flow: AskedFlow, heard: Heard | undefined): Judged {
    const { from, to, service, protocol, port, icmp } = flow;
    const all = this.#atEntries.get([from, to, service, protocol, port, icmp], () => new Map());
    const objects: string[] = [];
    const known = all.get(entry) ?? {
      judged: this.#received(entry, flow, "transit", (one) => objects.push(one)),
      objects,
    };
    all.set(entry, known);
    for (const one of known.objects) heard?.(one);
    return known.judged;
  }

  /** Where a client's packets for a Service come in. */
  #received(node: string, flow: AskedFlow, at: Report["at"], heard: Heard | undefined): Judged {
    const written = this.#written(flow, node);
    const isOpen = written.length === 0 && this.#judges.get(node)?.asksEarly === true;
    const said = this.#asked(node, { ...flow, at, written, isFromEntry: false }, heard);
    const unknown = { verdict: "depends", reason: `what clients use of Service ${flow.service} is not known` } as const;
    return isOpen ? strictest([said, unknown]) : said;
  }

  #asked(node: string, flow: JudgedFlow, heard: Heard | undefined): Judged {
    return this.#judges.get(node)?.judgeAtHosts(flow, heard) ?? { verdict: "allowed" };
  }

  /** Empty: not known. A load balancer's address is not known before it is assigned. */
  #written({ service = "", from }: AskedFlow, node: string): readonly WrittenTo[] {
    const { services } = this.#inputs;
    const family = from.kind === "network" ? familyOf(parseCidr(from.cidr).address) : undefined;
    const found = portNamed(service, services);
    const isWhole = found?.service.spec.type !== "LoadBalancer" || found.service.status?.loadBalancer?.ingress.length;
    return isWhole ? writtenTo(service, family, services, this.#nodes.get(node)?.addresses ?? []) : [];
  }

  /** Whether another node than the backend's may be the entry. */
  #sendsOn(service: string): boolean {
    return portNamed(service, this.#inputs.services)?.service.spec.externalTrafficPolicy !== "Local";
  }
}

/** Who reports it, and the nodes that are ends of it and do not. */
function placesOf({ from, to, reports }: PassingFlow): Report[] {
  const silent = (end: FlowEnd, at: Report["at"]): Report[] =>
    end.kind === "node" && !reports.some(({ node }) => node === end.name) ? [{ node: end.name, at }] : [];
  return [...reports, ...silent(from, "source"), ...silent(to, "destination")];
}

function mayPass(flow: PassingFlow, node: string): boolean {
  return flow.service !== undefined || placesOf(flow).some((place) => place.node === node);
}

function nodesOf(by: JudgedBy, flows: readonly PassingFlow[], hosts: SeenFlows["hosts"]): KnownNode[] {
  const ends = flows.flatMap(({ from, to }) => [from, to]).filter((end): end is NodeEnd => end.kind === "node");
  const addresses = new Map<string, readonly Address[]>([
    ...flows.flatMap(({ reports }) => reports.map(({ node }) => [node, []] as const)),
    ...by.nodes,
    ...ends.map((end) => [end.name, end.addresses] as const),
    ...[...hosts].map(([name, told]) => [name, told.addresses] as const),
  ]);
  return [...addresses].map(([name, all]) => {
    const told = hosts.get(name);
    const object = nodeSchema.parse({
      metadata: { name, labels: told?.labels ?? {} },
      status: { addresses: all.map((address) => ({ type: "InternalIP", address })) },
    });
    return { name, addresses: all, object, told };
  });
}

/** undefined: every host endpoint has labels that are known. */
function untoldHosts(nodes: readonly KnownNode[], inputs: HostInputs, { policies }: JudgedBy): UntoldHosts | undefined {
  const [configuration] = inputs.kubeControllersConfigurations ?? [];
  const untold = nodes.filter(({ told }) => !told).map(({ name }) => name);
  if (!configuration?.spec.autoCreate || untold.length === 0) return undefined;
  const compiled = (policies.globalNetworkPolicies ?? []).map((policy) =>
    compileCalicoPolicy("GlobalNetworkPolicy", policy, () => []),
  );
  return new UntoldHosts(new Set(untold), configuration, compiled);
}

function hostsOf(
  node: KnownNode,
  nodes: readonly Node[],
  inputs: HostInputs,
  pools: readonly string[],
  untold: UntoldHosts | undefined,
): NodeHosts {
  const { configuration, wraps, hostEndpoints, kubeControllersConfigurations } = inputs;
  const [address = UNKNOWN, ...localAddresses] = node.addresses;
  const uplinks = uplinksOf(node, hostEndpoints ?? []);
  const facts = { ...NOWHERE, nodeName: node.name, address, localAddresses };
  const isUntold = untold?.nodes.has(node.name) === true;
  // Templates choose nodes by their labels: one for all interfaces stands for whatever there may be.
  const automatic = kubeControllersConfigurations?.map((one) =>
    isUntold ? { ...one, spec: { ...one.spec, createDefaultHostEndpoint: true, templates: [] } } : one,
  );
  const objects = { hostEndpoints, ...(automatic && { kubeControllersConfigurations: automatic }), nodes };
  const directory = new HostDirectories().of(objects, nodeDirectory(nodes, facts), uplinks);
  return {
    directory,
    ...(isUntold && { untold }),
    ...{ uplinks, wraps, pools },
    failsafes: failsafesOf(configuration, { apiServer: node.told?.apiServer }),
    toHost: configuration?.spec.defaultEndpointToHostAction ?? "Accept",
  };
}

/** Of a node that says nothing of itself: those that its host endpoints name, or one of all its addresses. */
function uplinksOf({ name, addresses, told }: KnownNode, hostEndpoints: NonNullable<HostInputs["hostEndpoints"]>) {
  if (told) return told.uplinks.map((one, index) => ({ ...one, ifindex: index + 1 }));
  const named = hostEndpoints.filter(({ spec }) => spec.node === name && spec.interfaceName !== "*");
  const found = named.map(({ metadata, spec }, index) => ({
    ...{ name: spec.interfaceName ?? metadata.name, ifindex: index + 1 },
    addresses: spec.expectedIPs.length > 0 ? spec.expectedIPs : addresses,
  }));
  return found.length > 0 ? found : [{ name: "others", ifindex: 0, addresses }];
}
