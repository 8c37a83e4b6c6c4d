import { type Cidr, covers, hostCidr, parseCidr } from "../address/address.ts";
import {
  serviceAccount as accountSchema,
  type Namespace,
  namespace as namespaceSchema,
  type Pod,
  pod as podSchema,
  type ServiceAccount,
} from "../objects/core.ts";
import type { EndpointPolicy } from "../policy/endpoint-policy.ts";
import { ruleMatches } from "../policy/explain.ts";
import { IdentityTable } from "../policy/identity.ts";
import { ANYBODY, decisionAt, Judge, type Peer } from "../policy/judge.ts";
import type { PolicyObjects } from "../policy/policy-objects.ts";
import type { Decision, Tier } from "../policy/rules.ts";
import { PolicySelector } from "../policy/selection.ts";
import { PodSubjects } from "../policy/subject.ts";
import { podAsSubject } from "../policy/who.ts";
import { ICMP, protocolNumbers } from "../protocol.ts";
import { asSomeNode, namingOthers, type SelectingService, serviceWords, withWords } from "./peer-words.ts";
import type { FlowEnd } from "./record.ts";
import type { SeenFlow } from "./seen.ts";

/** The policies that flows are judged by, and what is known of the cluster. */
export interface JudgedBy {
  /** Namespaces and service accounts among them are not read: the log has their labels. */
  readonly policies: Omit<PolicyObjects, "namespaces" | "serviceAccounts">;
  /** Those whose endpoints have no addresses yet, and no others have known endpoints; absent: EndpointSlices are those of a cluster. */
  readonly services?: readonly SelectingService[];
  /** CIDRs that pods' addresses come from: the log does not say which of them a pod had. */
  readonly pools: readonly string[];
  /** Addresses of nodes, by name; those of others are taken from the log. */
  readonly nodes: ReadonlyMap<string, readonly string[]>;
  /** Labels of namespaces; those of others are taken from the log. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** What policies say of a flow. depends: on an address, or on what the log does not say. */
export interface Judged {
  readonly verdict: "allowed" | "denied" | "depends";
  /** Of a denial or an open question. */
  readonly reason?: string;
}

/** The part of a flow that policies can tell. */
export type JudgedFlow = Pick<SeenFlow, "from" | "to" | "protocol" | "port" | "icmp" | "isOwnNode">;

const ALLOWED: Judged = { verdict: "allowed" };

type Pods = Extract<FlowEnd, { kind: "pods" }>;

/** A flow's pods as the API server would show them. */
interface Stand {
  readonly pod: Pod;
  readonly namespace: Namespace;
  readonly account?: ServiceAccount | undefined;
  policy?: EndpointPolicy | undefined;
}

const PROTOCOLS: Readonly<Record<string, number>> = { ...protocolNumbers, ICMP, "58": 58 };
/** Of logs of earlier versions, which do not say what was sent: echo requests, as ports (model/policy/rules.ts). */
const ECHO: Readonly<Record<number, number>> = { [ICMP]: 8 << 8, 58: 128 << 8 };

/** Judges flows of a log by policies, with the selectors, identities and rules that nodes use. Pure. */
export class FlowJudge {
  readonly #by: JudgedBy;
  readonly #stands = new Map<string, Stand>();
  readonly #identities: IdentityTable;
  readonly #places: readonly Cidr[];
  /** Policies whose rules name Services, where their endpoints are not known. */
  readonly #aboutServices: ReadonlySet<string>;
  readonly #judges = new Map<readonly Tier[], Judge>();

  /** @param flows all that will be judged */
  constructor(by: JudgedBy, flows: readonly Pick<SeenFlow, "from" | "to">[]) {
    this.#by = by;
    for (const end of flows.flatMap(({ from, to }) => [from, to])) {
      if (end.kind !== "pods" || this.#stands.has(JSON.stringify(end))) continue;
      this.#stands.set(JSON.stringify(end), standFor(end, this.#stands.size, by));
    }
    const stands = [...this.#stands.values()];
    const endpoints = stands.map((stand) => ({
      ...{ stand, namespace: stand.pod.metadata.namespace ?? "default", pod: stand.pod.metadata.name },
    }));
    const pods = stands.map(({ pod }) => pod);
    const namespaces = stands.map(({ namespace }) => namespace);
    const accounts = stands.flatMap(({ account }) => account ?? []);
    const subjects = new PodSubjects<(typeof endpoints)[number]>().of(endpoints, pods, namespaces, accounts);
    const policies = inNamespaces(by.policies, new Set(namespaces.map(({ metadata }) => metadata.name)));
    const selection = new PolicySelector().select({ ...policies, namespaces, subjects });
    for (const [{ stand }, policy] of selection.policies) stand.policy = policy;
    const areKnown = by.policies.endpointSlices !== undefined;
    this.#aboutServices = namingOthers(selection.sources, areKnown ? by.services : []);
    this.#identities = new IdentityTable(selection.vocabulary);
    const named = [...selection.vocabulary.blocks.values()].map(({ cidr }) => cidr);
    this.#places = by.pools.map(parseCidr).flatMap((pool) => [pool, ...within(pool, named)]);
  }

  /** By the policies of both ends. */
  judge(flow: JudgedFlow): Judged {
    if (flow.isOwnNode) return ALLOWED;
    const sends = this.judgeEnd(flow, "egress");
    if (sends && sends.verdict !== "allowed") return sends;
    return this.judgeEnd(flow, "ingress") ?? unknownLabels(flow.from) ?? unknownLabels(flow.to) ?? ALLOWED;
  }

  /** By the sender's egress or the receiver's ingress policies; undefined: none selects it. */
  judgeEnd(flow: JudgedFlow, direction: "ingress" | "egress"): Judged | undefined {
    const { policy, peer } = this.#end(flow, direction);
    return policy?.[direction] && this.#side(policy, direction, peer, flow);
  }

  /** The rules that allow the flow at this end, by their reasons: those that an earlier one hides, too.
   * @param isWanted others are not looked at */
  *allowing(
    flow: JudgedFlow,
    direction: "ingress" | "egress",
    isWanted: (reason: string) => boolean,
  ): Iterable<string> {
    const { policy, peer } = this.#end(flow, direction);
    const rules = (policy?.[direction] ?? []).flatMap((tier) => tier.rules);
    const wanted = rules.filter(({ verdict, reason }) => verdict === "allow" && isWanted(reason));
    if (wanted.length === 0 || unknownLabels(peer)) return;
    const identities = this.#identitiesOf(peer);
    for (const rule of wanted)
      if (identities.some((identity) => ruleMatches(rule, identity ?? ANYBODY, askedOf(flow)))) yield rule.reason;
  }

  #end({ from, to }: JudgedFlow, direction: "ingress" | "egress") {
    const [subject, peer] = direction === "ingress" ? [to, from] : [from, to];
    return { policy: this.#stands.get(JSON.stringify(subject))?.policy, peer };
  }

  #side(policy: EndpointPolicy, direction: "ingress" | "egress", peer: FlowEnd, flow: JudgedFlow): Judged {
    const unknown = unknownLabels(peer);
    if (unknown) return unknown;
    const open = policy.sources.split(", ").find((source) => this.#aboutServices.has(source));
    if (open) return { verdict: "depends", reason: `${open} names a Service, whose endpoints are not known` };
    const tiers = policy[direction] ?? [];
    const judge = this.#judges.get(tiers) ?? new Judge(tiers, policy.afterwards);
    this.#judges.set(tiers, judge);
    const { protocol, port } = askedOf(flow);
    const identities = this.#identitiesOf(peer);
    return together(identities.map((identity) => decisionAt(judge.judge(identity ?? ANYBODY), protocol, port)));
  }

  /** All that a peer may be, by the addresses that it may have. */
  #identitiesOf(peer: FlowEnd): readonly (Peer | undefined)[] {
    const { policies, services = [], nodes } = this.#by;
    const blocks = (cidrs: readonly Cidr[]) => cidrs.map((cidr) => this.#identities.ofBlock(cidr));
    if (peer.kind === "network") {
      const cidr = parseCidr(peer.cidr);
      return blocks([
        cidr,
        ...within(
          cidr,
          [...this.#identities.vocabulary.blocks.values()].map((block) => block.cidr),
        ),
      ]);
    }
    if (peer.kind === "node") {
      const known = blocks((nodes.get(peer.name) ?? peer.addresses).map(hostCidr));
      return policies.nodes ? known : asSomeNode(known, this.#identities.vocabulary.selectors.keys());
    }
    const stand = this.#stands.get(JSON.stringify(peer));
    if (!stand) return [undefined];
    const who = podAsSubject(stand.pod, stand.namespace, stand.account);
    const words = peer.kind === "pods" ? serviceWords(peer, services, policies.endpointSlices ?? []) : [];
    return this.#places.map((cidr) => withWords(this.#identities.ofPod(stand.pod, who, cidr), words));
  }
}

/** The flow as policies are asked about it. */
function askedOf({ protocol, port, icmp }: JudgedFlow): { protocol: number; port: number } {
  const number = PROTOCOLS[protocol] ?? Number(protocol);
  return { protocol: number, port: icmp ? (icmp.type << 8) | icmp.code : (ECHO[number] ?? port) };
}

/** Without policies of namespaces that have no pods here: they select nobody. */
function inNamespaces(objects: JudgedBy["policies"], names: ReadonlySet<string>): JudgedBy["policies"] {
  const isHere = ({ metadata }: { readonly metadata: { readonly namespace?: string | null | undefined } }) =>
    names.has(metadata.namespace ?? "default");
  const { networkPolicies, calicoNetworkPolicies = [], ...rest } = objects;
  return {
    ...rest,
    networkPolicies: networkPolicies.filter(isHere),
    calicoNetworkPolicies: calicoNetworkPolicies.filter(isHere),
  };
}

/** The blocks that are smaller parts of `whole`. */
function within(whole: Cidr, named: readonly Cidr[]): Cidr[] {
  return named.filter((cidr) => cidr.text !== whole.text && covers(whole, cidr));
}

function together(decisions: readonly Decision[]): Judged {
  const denied = decisions.filter(({ verdict }) => verdict === "deny");
  const [first] = denied;
  if (decisions.length === 0) return { verdict: "depends", reason: "the address of its node is not known" };
  if (!first) return ALLOWED;
  const reason = first.reason ?? "";
  return denied.length === decisions.length ? { verdict: "denied", reason } : { verdict: "depends", reason };
}

function unknownLabels(end: FlowEnd): Judged | undefined {
  if (end.kind !== "pods" || end.labels) return undefined;
  return { verdict: "depends", reason: `the labels of ${end.namespace}/${end.workload} are not in the log` };
}

function standFor(end: Pods, index: number, by: JudgedBy): Stand {
  const {
    namespace,
    workload,
    labels = {},
    namespaceLabels = {},
    serviceAccount,
    serviceAccountLabels,
    ports = [],
  } = end;
  return {
    pod: podSchema.parse({
      metadata: { name: `${workload}.${index}`, namespace, labels },
      spec: {
        ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
        containers: [{ ports: ports.map(({ port, ...rest }) => ({ ...rest, containerPort: port })) }],
      },
    }),
    namespace: namespaceSchema.parse({
      metadata: { name: namespace, labels: by.namespaces.get(namespace) ?? namespaceLabels },
    }),
    ...(serviceAccount !== undefined && {
      account: accountSchema.parse({
        metadata: { name: serviceAccount, namespace, labels: serviceAccountLabels ?? {} },
      }),
    }),
  };
}
