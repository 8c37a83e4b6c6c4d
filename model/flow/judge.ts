import type { EndpointPolicy } from "../policy/endpoint-policy.ts";
import { ruleMatches } from "../policy/explain.ts";
import type { HostSubject } from "../policy/host-directory.ts";
import { ANYBODY } from "../policy/judge.ts";
import type { Decision, Tier } from "../policy/rules.ts";
import { PolicySelector } from "../policy/selection.ts";
import { PodSubjects, type Subject } from "../policy/subject.ts";
import type { Vocabulary } from "../policy/vocabulary.ts";
import { askedOf } from "./asked.ts";
import { Decisions, type Meeting } from "./decisions.ts";
import { atHosts, type Heard, type NodeHosts } from "./host-stages.ts";
import { hostEndText } from "./host-words.ts";
import { type Judged, type JudgedEnd, type JudgedFlow, strictest } from "./judged.ts";
import { type HostPeers, inNamespaces, type JudgedBy, namespacesOfSets } from "./judged-by.ts";
import { namingOthers } from "./peer-words.ts";
import { endText, type FlowEnd } from "./record.ts";
import type { SeenFlow } from "./seen.ts";
import { type Stand, standFor } from "./stand.ts";

const ALLOWED: Judged = { verdict: "allowed" };

/** Judges flows of a log by policies, with the selectors, identities and rules that nodes use. Pure. */
export class FlowJudge {
  readonly #hosts: NodeHosts | undefined;
  readonly #hostPolicies = new Map<object, EndpointPolicy>();
  readonly #stands = new Map<string, Stand>();
  readonly #decisions: Decisions;
  /** Policies whose rules name Services, where their endpoints are not known. */
  readonly #aboutServices: ReadonlySet<string>;
  readonly #hostPeers: HostPeers | undefined;
  readonly #selectors: Vocabulary["selectors"];

  /** @param flows all that will be judged */
  constructor(by: JudgedBy, flows: readonly Pick<SeenFlow, "from" | "to">[]) {
    this.#hosts = by.hosts;
    this.#hostPeers = by.hostPeers;
    for (const end of flows.flatMap(({ from, to }) => [from, to])) {
      if (end.kind !== "pods" || this.#stands.has(JSON.stringify(end))) continue;
      this.#stands.set(JSON.stringify(end), standFor(end, this.#stands.size, by.namespaces));
    }
    const stands = [...this.#stands.values()];
    const endpoints = stands.map((stand) => ({
      ...{ stand, namespace: stand.pod.metadata.namespace ?? "default", pod: stand.pod.metadata.name },
    }));
    const pods = stands.map(({ pod }) => pod);
    const namespaces = stands.map(({ namespace }) => namespace);
    const ofSets = namespacesOfSets(by, new Set(namespaces.map(({ metadata }) => metadata.name)));
    const accounts = stands.flatMap(({ account }) => account ?? []);
    const ofPods = new PodSubjects<(typeof endpoints)[number]>().of(endpoints, pods, namespaces, accounts);
    const subjects = new Map<object, Subject>([
      // At whatever address of its pools.
      ...[...ofPods].map(([endpoint, subject]) => [endpoint, { ...subject, ownEnd: "itself" }] as const),
      ...(by.hosts?.directory.subjects ?? []),
    ]);
    const policies = inNamespaces(by.policies, new Set(namespaces.map(({ metadata }) => metadata.name)));
    const selection = new PolicySelector().select({ ...policies, namespaces: [...namespaces, ...ofSets], subjects });
    for (const endpoint of endpoints) endpoint.stand.policy = selection.policies.get(endpoint);
    for (const subject of by.hosts?.directory.subjects.keys() ?? []) {
      const policy = selection.policies.get(subject);
      if (policy) this.#hostPolicies.set(subject, policy);
    }
    const areKnown = by.policies.endpointSlices !== undefined;
    this.#aboutServices = namingOthers(selection.sources, areKnown ? by.services : []);
    this.#selectors = selection.vocabulary.selectors;
    this.#decisions = new Decisions({
      ...{ vocabulary: selection.vocabulary, pools: by.pools, nodes: by.nodes, services: by.services ?? [] },
      endpointSlices: by.policies.endpointSlices ?? [],
      ...{ knowsNodes: by.policies.nodes !== undefined, blocks: by.blocks ?? "whole" },
      hostLabels: (by.hostPeers ?? by.hosts?.directory)?.labels ?? new Map(),
      standOf: (end) => this.#stands.get(JSON.stringify(end)),
    });
  }

  /** By the policies of both ends, and by those of the node's host endpoints. */
  judge(flow: JudgedFlow): Judged {
    if (flow.isOwnNode) return ALLOWED;
    const { arrival, departure } = this.#atHosts(flow);
    const sends = this.#reachesOwnNode(flow) ? undefined : this.judgeEnd(flow, "egress");
    const receives = this.judgeEnd(flow, "ingress") ?? unknownLabels(flow.from) ?? unknownLabels(flow.to);
    return strictest([arrival, sends, receives, departure].flatMap((judged) => judged ?? []));
  }

  /** The objects that the pods at its ends are judged by, in its direction. */
  sourcesOf(flow: JudgedFlow): readonly string[] {
    if (flow.isOwnNode) return [];
    return this.#directions(flow).flatMap((direction) => {
      const { policy } = this.#end(flow, direction);
      return policy?.[direction] ? [policy.sources] : [];
    });
  }

  /** By the node's host endpoints alone, of what comes in there and leaves there.
   * @param heard the objects that are asked, each time */
  judgeAtHosts(flow: JudgedFlow, heard: (objects: string) => void = () => {}): Judged {
    const { arrival, departure } = this.#atHosts(flow, (subject, _, isKept) => {
      if (!isKept) heard(this.#hostPolicies.get(subject)?.sources || subject.host.owner);
    });
    return strictest([arrival, departure].flatMap((judged) => judged ?? []));
  }

  /** Whether a host endpoint of the node has policies about what its clients wrote, before translation. */
  get asksEarly(): boolean {
    const early = [...(this.#hosts?.directory.subjects.keys() ?? [])].filter(
      ({ traffic }) => traffic === "preDNAT" || traffic === "doNotTrack",
    );
    return early.some(
      (subject) => this.#isOpenAt(subject, "ingress") || this.#hostPolicies.get(subject)?.ingress !== undefined,
    );
  }

  /** What each end that has policies says, tier by tier, and each host endpoint that is asked, in their order. For people. */
  explain(flow: JudgedFlow): JudgedEnd[] {
    if (flow.isOwnNode) return [];
    const onTheWay: JudgedEnd[] = [];
    this.#atHosts(flow, (subject, meeting, isKept) => {
      const policy = this.#hostPolicies.get(subject);
      if (!policy) return;
      const said = this.#explained(policy, hostEndText(subject), meeting);
      const kept = { verdict: "allowed", reason: "a fail-safe port, which no policy closes" } as const;
      onTheWay.push(isKept && said.verdict !== "allowed" ? { ...said, ...kept } : said);
    });
    const at = (direction: "ingress" | "egress") => onTheWay.filter((end) => end.direction === direction);
    const ofPods = this.#directions(flow).flatMap((direction): JudgedEnd[] => {
      const { policy, peer, own } = this.#end(flow, direction);
      if (!policy?.[direction]) return [];
      return [this.#explained(policy, `pods of ${endText(own)}`, { direction, peer, own, ...askedOf(flow) })];
    });
    return [...at("ingress"), ...ofPods, ...at("egress")];
  }

  /** Of all that the ends may be, one that is denied goes first. */
  #explained(policy: EndpointPolicy, end: string, meeting: Meeting): JudgedEnd {
    const about = { direction: meeting.direction, end, policies: policy.sources };
    const unknown = unknownLabels(meeting.peer) ?? this.#openQuestion(policy, meeting);
    if (unknown) return { ...about, tiers: [], ...unknown };
    const said = this.#decisions.explain(policy, meeting);
    const shown = said.find(({ decision }) => decision.verdict === "deny") ?? said[0];
    const undecided = said.some(({ decision }) => decision.undecided) && { undecided: true as const };
    return { ...about, tiers: shown?.tiers ?? [], ...together(said.map(({ decision }) => decision)), ...undecided };
  }

  /** By the sender's egress or the receiver's ingress policies; undefined: none selects it. */
  judgeEnd(flow: JudgedFlow, direction: "ingress" | "egress"): Judged | undefined {
    const { policy, peer, own } = this.#end(flow, direction);
    if (!policy?.[direction]) return undefined;
    return (
      unknownLabels(peer) ??
      this.#openQuestion(policy, { direction, peer }) ??
      together(this.#decisions.of(policy, { direction, peer, own, ...askedOf(flow) }))
    );
  }

  /** The rules that allow the flow at this end, by their reasons: those that an earlier one hides, too.
   * @param isWanted others are not looked at */
  *allowing(
    flow: JudgedFlow,
    direction: "ingress" | "egress",
    isWanted: (reason: string) => boolean,
  ): Iterable<string> {
    const { policy, peer, own } = this.#end(flow, direction);
    const policies = policy ? this.#decisions.atOwnEnds(policy, direction, own) : [];
    const rules = policies.flatMap((one) => (one[direction] ?? []).flatMap((tier) => tier.rules));
    const wanted = rules.filter(({ verdict, reason }) => verdict === "allow" && isWanted(reason));
    if (wanted.length === 0 || unknownLabels(peer)) return;
    const identities = this.#decisions.identitiesOf(peer);
    for (const rule of wanted)
      if (identities.some((identity) => ruleMatches(rule, identity ?? ANYBODY, askedOf(flow)))) yield rule.reason;
  }

  #end({ from, to }: JudgedFlow, direction: "ingress" | "egress") {
    const [own, peer] = direction === "ingress" ? [to, from] : [from, to];
    return { policy: this.#stands.get(JSON.stringify(own))?.policy, peer, own };
  }

  #directions(flow: JudgedFlow): readonly ("ingress" | "egress")[] {
    return this.#reachesOwnNode(flow) ? ["ingress"] : ["egress", "ingress"];
  }

  /** Whether a pod asks its own node, about which only Calico's policies say something. */
  #reachesOwnNode({ from, to, at }: JudgedFlow): boolean {
    return at === "both" && to.kind === "node" && !this.#stands.get(JSON.stringify(from))?.policy?.isAskedOfNode;
  }

  #openQuestion(policy: EndpointPolicy, { direction, peer }: Pick<Meeting, "direction" | "peer">): Judged | undefined {
    const open = policy.sources.split(", ").find((source) => this.#aboutServices.has(source));
    if (open) return { verdict: "depends", reason: `${open} names a Service, whose endpoints are not known` };
    if (peer.kind !== "node" || !this.#hostPeers?.untold?.nodes.has(peer.name)) return undefined;
    return this.#mayMeanHosts(policy[direction] ?? []) ? { verdict: "depends", reason: notTold(peer.name) } : undefined;
  }

  /** Whether a rule has a selector that may mean a host endpoint whose labels are not known. */
  #mayMeanHosts(tiers: readonly Tier[]): boolean {
    const texts = tiers
      .flatMap(({ rules }) => rules.flatMap(({ peers = [] }) => peers))
      .flatMap(({ selectors = [], notSelectors = [] }) => [...selectors, ...notSelectors]);
    return texts.some((text) => {
      const selector = this.#selectors.get(text);
      return selector !== undefined && this.#hostPeers?.untold?.mayMean(selector);
    });
  }

  /** Whether labels that are not known say which policies of this node's host endpoint are asked. */
  #isOpenAt({ host, traffic }: HostSubject, direction: "ingress" | "egress"): boolean {
    return host === this.#hosts?.directory.own.others && this.#hosts?.untold?.isOpen(host, traffic, direction) === true;
  }

  #atHosts(flow: JudgedFlow, heard?: Heard): { arrival?: Judged | undefined; departure?: Judged | undefined } {
    if (!this.#hosts || !flow.at) return {};
    const ask: Parameters<typeof atHosts>[3] = (subject, meeting) => {
      const policy = this.#hostPolicies.get(subject);
      if (this.#isOpenAt(subject, meeting.direction)) return { unknown: notTold(subject.host.node) };
      if (!policy?.[meeting.direction]) return undefined;
      const unknown = unknownLabels(meeting.peer) ?? this.#openQuestion(policy, meeting);
      if (unknown) return { unknown: unknown.reason ?? "" };
      const decisions = this.#decisions.of(policy, meeting);
      return decisions.length > 0 ? { decisions } : { unknown: WITHOUT_ADDRESS };
    };
    return atHosts(this.#hosts, flow, askedOf(flow), ask, heard);
  }
}

function together(decisions: readonly Decision[]): Judged {
  const denied = decisions.filter(({ verdict }) => verdict === "deny");
  const [first] = denied;
  if (decisions.length === 0) return { verdict: "depends", reason: WITHOUT_ADDRESS };
  if (!first) return ALLOWED;
  const reason = first.reason ?? "";
  return denied.length === decisions.length ? { verdict: "denied", reason } : { verdict: "depends", reason };
}

const WITHOUT_ADDRESS = "the address of its node is not known";
const notTold = (node: string): string => `the labels of node ${node} are not in the log`;

function unknownLabels(end: FlowEnd): Judged | undefined {
  if (end.kind !== "pods" || end.labels) return undefined;
  return { verdict: "depends", reason: `the labels of ${end.namespace}/${end.workload} are not in the log` };
}
