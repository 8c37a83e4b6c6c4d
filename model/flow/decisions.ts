import { type Cidr, covers, hostCidr, parseCidr } from "../address/address.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import { atOwnEnds, type EndpointPolicy } from "../policy/endpoint-policy.ts";
import { type Explanation, explain } from "../policy/explain.ts";
import type { HostDirectory } from "../policy/host-directory.ts";
import { type Identity, IdentityTable } from "../policy/identity.ts";
import { ANYBODY, decisionAt, Judge, type Peer } from "../policy/judge.ts";
import type { Decision, Tier } from "../policy/rules.ts";
import type { Vocabulary } from "../policy/vocabulary.ts";
import { podAsSubject } from "../policy/who.ts";
import { asSomeNode, type SelectingService, serviceWords, withWords } from "./peer-words.ts";
import type { FlowEnd } from "./record.ts";
import type { Stand } from "./stand.ts";

/** What is known of ends beside the log. */
export interface KnownEnds {
  readonly vocabulary: Vocabulary;
  /** CIDRs that pods' addresses come from. */
  readonly pools: readonly string[];
  readonly nodes: ReadonlyMap<string, readonly string[]>;
  readonly services: readonly SelectingService[];
  readonly endpointSlices: readonly EndpointSlice[];
  /** Whether nodes' labels are those of objects. */
  readonly knowsNodes: boolean;
  readonly blocks: "whole" | "rest";
  /** As whom policies meet the addresses of nodes. */
  readonly hostLabels: HostDirectory["labels"];
  standOf(end: FlowEnd): Stand | undefined;
}

/** Both ends of a flow as one of them meets it. */
export interface Meeting {
  readonly direction: "ingress" | "egress";
  readonly peer: FlowEnd;
  /** The end on the policy's side. */
  readonly own: FlowEnd;
  readonly protocol: number;
  readonly port: number;
  /** Absent: any. */
  readonly sourcePort?: number | undefined;
}

/** What policies decide, for all that an end may be: the log does not say which address it had. */
export class Decisions {
  readonly #known: KnownEnds;
  readonly #identities: IdentityTable;
  readonly #named: readonly Cidr[];
  readonly #places: readonly Cidr[];
  readonly #judges = new Map<readonly Tier[], Judge>();

  constructor(known: KnownEnds) {
    this.#known = known;
    this.#identities = new IdentityTable(known.vocabulary);
    this.#named = [...known.vocabulary.blocks.values()].map(({ cidr }) => cidr);
    this.#places = known.pools.map(parseCidr).flatMap((pool) => [pool, ...smallerBlocks(pool, this.#named)]);
  }

  /** None: the address of the peer's node is not known. */
  of(policy: EndpointPolicy, { direction, peer, own, protocol, port, sourcePort }: Meeting): readonly Decision[] {
    const peers = this.identitiesOf(peer);
    return this.atOwnEnds(policy, direction, own).flatMap(({ [direction]: tiers = [], afterwards }) => {
      const judge = this.#judges.get(tiers) ?? new Judge(tiers, afterwards);
      this.#judges.set(tiers, judge);
      return peers.map((identity) => decisionAt(judge.judge(identity ?? ANYBODY), protocol, port, sourcePort));
    });
  }

  /** The same tier by tier. */
  explain(policy: EndpointPolicy, { direction, peer, own, protocol, port, sourcePort }: Meeting): Explanation[] {
    const peers = this.identitiesOf(peer);
    const asked = { protocol, port, ...(sourcePort !== undefined && { sourcePort }) };
    return this.atOwnEnds(policy, direction, own).flatMap(({ [direction]: tiers = [], afterwards }) =>
      peers.map((identity) => explain(tiers, afterwards, identity ?? ANYBODY, asked)),
    );
  }

  /** The policies that hold for all that the end on the policy's side may be. */
  atOwnEnds(policy: EndpointPolicy, direction: Meeting["direction"], own: FlowEnd): readonly EndpointPolicy[] {
    return atOwnEnds(policy, direction, () => this.identitiesOf(own));
  }

  /** All that an end may be, by the addresses that it may have. */
  identitiesOf(end: FlowEnd): readonly (Peer | undefined)[] {
    const { nodes, knowsNodes, services, endpointSlices } = this.#known;
    const blocks = (cidrs: readonly Cidr[]) => cidrs.map((cidr) => this.#ofBlock(cidr));
    if (end.kind === "network") {
      const cidr = parseCidr(end.cidr);
      if (this.#known.blocks === "rest") return blocks([cidr]);
      const labelled = [...this.#known.hostLabels.keys()].map(hostCidr).filter((one) => covers(cidr, one));
      return blocks([cidr, ...smallerBlocks(cidr, this.#named), ...labelled]);
    }
    if (end.kind === "node") {
      const known = blocks((nodes.get(end.name) ?? end.addresses).map(hostCidr));
      return knowsNodes ? known : asSomeNode(known, this.#known.vocabulary.selectors.keys());
    }
    const stand = this.#known.standOf(end);
    if (!stand) return [undefined];
    const who = podAsSubject(stand.pod, stand.namespace, stand.account);
    const words = end.kind === "pods" ? serviceWords(end, services, endpointSlices) : [];
    return this.#places.map((cidr) => withWords(this.#identities.ofPod(stand.pod, who, cidr), words));
  }

  #ofBlock(cidr: Cidr): Identity | undefined {
    const isOne = cidr.text === hostCidr(cidr.address).text;
    return this.#identities.ofBlock(cidr, isOne ? this.#known.hostLabels.get(cidr.address) : undefined);
  }
}

/** The blocks that are smaller parts of `whole`. */
function smallerBlocks(whole: Cidr, named: readonly Cidr[]): Cidr[] {
  return named.filter((cidr) => cidr.text !== whole.text && covers(whole, cidr));
}
