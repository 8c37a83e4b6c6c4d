import type { Address } from "../../model/address/address.ts";
import { Latest } from "../../model/memo.ts";
import type { EndpointPolicy } from "../../model/policy/endpoint-policy.ts";
import type { HostDirectory, HostSubject } from "../../model/policy/host-directory.ts";
import { policyInputs } from "../../model/policy/policy-objects.ts";
import { PolicySelector, type Selection } from "../../model/policy/selection.ts";
import { isSelectedBy } from "../../model/policy/staged.ts";
import { PodSubjects, type Subject } from "../../model/policy/subject.ts";
import { type Vocabulary, vocabularyOf } from "../../model/policy/vocabulary.ts";
import type { Steps } from "../../model/steps.ts";
import type { Whereabouts } from "./addresses.ts";
import { Closing } from "./closing.ts";
import type { DesiredState, MapContents, NumberContents } from "./desired.ts";
import { compileEndpoints } from "./endpoints.ts";
import { compileHosts, type HostMaps } from "./hosts.ts";
import type { NodeLimits } from "./limits.ts";
import { LocationCompiler, type LocationMap } from "./locations.ts";
import { PolicyCompiler } from "./policies.ts";
import type { ClusterSnapshot, LocalEndpoint, NodeFacts } from "./snapshot.ts";

type Verdicts = Pick<MapContents, "policies" | "locations" | "endpoints" | "interfaces" | "namespaces"> &
  HostMaps & {
    readonly policyNames: DesiredState["names"];
    readonly contents: NumberContents;
    readonly policyLogs: boolean;
  };

/** The policies in force on this node, and their verdicts. */
export interface InForce {
  readonly selection: Selection<LocalEndpoint | HostSubject>;
  readonly judgement: Verdicts;
}

type PolicyRoom = Pick<NodeLimits, "policyEntries" | "policyBlocks" | "policyComparisons">;

/** Where things are. */
export interface Places extends Whereabouts {
  readonly facts: NodeFacts;
}

/** What endpoints and hosts are judged with. */
interface Judging {
  readonly addresses: LocationMap;
  readonly hosts: HostDirectory;
  hostPolicyOf(host: HostSubject): EndpointPolicy | undefined;
}

/** Judges this node's pods and the node itself by the policies that apply to them. */
export class PoliciesInForce {
  readonly #limits: PolicyRoom;
  readonly #judged = new Latest<InForce>();
  readonly #subjects = new PodSubjects<LocalEndpoint>();
  readonly #selector = new PolicySelector();
  readonly #policies = new PolicyCompiler();
  readonly #locations = new LocationCompiler();
  // Separate, so that a transition does not replace the cache of the final state.
  readonly #passing = new LocationCompiler(this.#locations);
  /** Of the last transition. */
  #bothWords: Vocabulary | undefined;
  #last:
    | {
        selection: Selection<LocalEndpoint | HostSubject>;
        policies: ReadonlyMap<Address, EndpointPolicy | undefined>;
        hosts: string;
      }
    | undefined;

  /** @param limits of all policies together */
  constructor(limits: PolicyRoom) {
    this.#limits = limits;
  }

  /** Returns the same object as before if its inputs did not change. */
  judging(snapshot: ClusterSnapshot, places: Places): Steps<InForce> {
    const { facts, nodes, pools, ofServices, hosts } = places;
    const inputs = [
      ...[...policyInputs(snapshot), snapshot.pods, snapshot.endpoints, nodes, pools, ofServices, facts],
      ...[hosts, snapshot.felixConfigurations, snapshot.stagedGlobalNetworkPolicies],
    ];
    return this.#judged.getting(inputs, () => this.#select(snapshot, places));
  }

  /** The policies in force, judged. Where they take more than a node has for them (of entries, blocks or comparisons), those that take most of it are
   * closed, as many as it takes, in the order that is fair to small namespaces. */
  *#select(snapshot: ClusterSnapshot, places: Places): Steps<InForce> {
    const { policyEntries, policyBlocks, policyComparisons } = this.#limits;
    const { endpoints, pods, namespaces, serviceAccounts, facts } = snapshot;
    const subjects = new Map<LocalEndpoint | HostSubject, Subject>([
      ...this.#subjects.of(endpoints, pods, namespaces, serviceAccounts),
      ...places.hosts.subjects,
    ]);
    const room = { pods, comparisons: policyComparisons };
    const all = { entries: policyEntries, blocks: policyBlocks, comparisons: policyComparisons };
    const closing = new Closing(facts, all);
    const selected = { ...snapshot, subjects, salt: facts.salt };
    for (;;) {
      const selection = yield* this.#selector.selecting(selected, closing.excess, room);
      const count = selection.sources.length;
      if (closing.goesOn("comparisons", !selection.isOverRoom, count)) continue;
      if (closing.goesOn("blocks", selection.vocabulary.blocks.size <= policyBlocks, count)) continue;
      const addresses = yield* this.#locations.compile(snapshot, selection.vocabulary, places);
      const policyOf = (endpoint: LocalEndpoint | HostSubject) => selection.policies.get(endpoint);
      const limit = closing.isEnd("entries", count) ? Number.POSITIVE_INFINITY : policyEntries;
      const judgement = yield* this.#judge(
        snapshot,
        { addresses, hosts: places.hosts, hostPolicyOf: policyOf },
        selection,
        policyOf,
        limit,
      );
      if (!closing.goesOn("entries", judgement !== undefined, count) && judgement) return { selection, judgement };
    }
  }

  *#judge(
    snapshot: ClusterSnapshot,
    { addresses, hosts, hostPolicyOf }: Judging,
    selection: Pick<Selection, "inForce">,
    policyOf: (endpoint: LocalEndpoint) => EndpointPolicy | undefined,
    limit: number,
  ): Steps<Verdicts | undefined> {
    const policies = yield* this.#policies.compile(selection, addresses, limit, snapshot.facts.salt);
    if (!policies) return undefined;
    const endpoints = compileEndpoints(snapshot.endpoints, addresses, policyOf, policies);
    const judgedHosts = { ...hosts, policyOf: hostPolicyOf, policies, sums: addresses.sums };
    return {
      policies: policies.policies,
      locations: addresses.locations,
      ...endpoints,
      ...compileHosts(
        { ...judgedHosts, isWatched: isSelectedBy(snapshot.stagedGlobalNetworkPolicies, hosts.subjects.values()) },
        snapshot.felixConfigurations,
        snapshot.facts,
      ),
      policyNames: { identities: addresses.names, ...policies.names },
      contents: { policies: policies.contents, identities: addresses.identities },
      policyLogs: policies.logs,
    };
  }

  /** The stages between the policies of the last compilation and these. Endpoints move from one policy to another while
   * addresses move from one identity to another, one write after the other; in between, pairs of policy and identity
   * without a verdict would occur. So first addresses get identities that are specific enough for both old and new policies,
   * then endpoints move, and finally (the state itself) identities are reduced to what the new policies need. */
  *transition(snapshot: ClusterSnapshot, selection: Selection<LocalEndpoint | HostSubject>, places: Places) {
    const { hosts } = places;
    const last = this.#last;
    const now = (endpoint: LocalEndpoint) => selection.policies.get(endpoint);
    const addresses = snapshot.endpoints.map((endpoint) => [endpoint.address, now(endpoint)] as const);
    const hostPolicyOf = (host: HostSubject) => selection.policies.get(host);
    const hostsNow = namesOf(hosts, hostPolicyOf);
    this.#last = { selection, policies: new Map(addresses), hosts: hostsNow };
    const isNew = ({ address }: LocalEndpoint) => !last?.policies.has(address);
    const before = (endpoint: LocalEndpoint) =>
      isNew(endpoint) ? now(endpoint) : last?.policies.get(endpoint.address);
    const moves = snapshot.endpoints.some((endpoint) => before(endpoint)?.name.name !== now(endpoint)?.name.name);
    if (!last || (!moves && last.hosts === hostsNow)) return [];
    const both = { inForce: new Map([...last.selection.inForce, ...selection.inForce]) };
    const sources = [...last.selection.sources, ...selection.sources];
    const ownEnds = [last.selection, selection].flatMap(({ labelled }) => labelled.ownEnds ?? []);
    this.#bothWords = yield* vocabularyOf(sources, { ...selection.labelled, ownEnds }, this.#bothWords);
    const words = this.#bothWords;
    const addressesOfBoth = yield* this.#passing.compile(snapshot, words, places);
    const known = { addresses: addressesOfBoth, hosts, hostPolicyOf };
    const stages: Omit<Verdicts, "policyNames" | "contents" | "policyLogs">[] = [];
    for (const policyOf of [before, now]) {
      const stage = yield* this.#judge(snapshot, known, both, policyOf, 2 * this.#limits.policyEntries);
      if (!stage) return []; // no room for both: endpoints move without it, closed in between where pairs were not judged
      const { policyNames: _, contents: __, policyLogs: ___, ...content } = stage;
      stages.push(content);
    }
    return stages;
  }
}

/** The policies of this node itself, in one text. */
function namesOf({ subjects }: HostDirectory, policyOf: Judging["hostPolicyOf"]): string {
  return [...subjects.keys()].map((host) => policyOf(host)?.name.name).join(";");
}
