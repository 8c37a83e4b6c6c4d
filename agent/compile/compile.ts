import type { Address } from "../../model/address/address.ts";
import { covers, hostCidr } from "../../model/address/address.ts";
import { stagedProblems } from "../../model/flow/staged-problems.ts";
import { Latest } from "../../model/memo.ts";
import { configurationProblems, defaultConfiguration, modeOf } from "../../model/mode/configuration.ts";
import { type NodePortAddresses, nodePortAddresses } from "../../model/node/node-port-addresses.ts";
import { nodeProblems } from "../../model/node/node-problems.ts";
import { type NodeDirectory, nodeDirectory } from "../../model/node/nodes.ts";
import type { IpPool } from "../../model/objects/calico.ts";
import { isLeaving, type Node } from "../../model/objects/core.ts";
import type { EndpointSlice } from "../../model/objects/discovery.ts";
import { namespaceProblems, podProblems } from "../../model/policy/pod-problems.ts";
import { policyInputs } from "../../model/policy/policy-objects.ts";
import { type EndpointPolicy, PolicySelector, type Selection } from "../../model/policy/selection.ts";
import { PodSubjects } from "../../model/policy/subject.ts";
import { vocabularyOf } from "../../model/policy/vocabulary.ts";
import { type Judged, judgePools } from "../../model/pool/claims.ts";
import { type PoolDirectory, poolDirectory } from "../../model/pool/pools.ts";
import { unusedPools, workloadPools } from "../../model/pool/uses.ts";
import type { Problem } from "../../model/problem.ts";
import { type ExternalIpPolicy, externalIpPolicy } from "../../model/service/external-ips.ts";
import { apiServerSlices, type FrontendRules, frontendRules } from "../../model/service/frontend-rules.ts";
import { finish, type Steps } from "../../model/steps.ts";
import type { DesiredState, MapContents } from "./desired.ts";
import { compileEndpoints, endpointRoutes } from "./endpoints.ts";
import { NO_HOST_POLICIES } from "./hosts.ts";
import { NODE_LIMITS, type NodeLimits } from "./limits.ts";
import { LocationCompiler, type LocationMap } from "./locations.ts";
import { PolicyCompiler } from "./policies.ts";
import { blockRoutes } from "./pools.ts";
import { policyRevision } from "./revisions.ts";
import { ServiceCompiler } from "./services.ts";
import { compileSettings } from "./settings.ts";
import type { ClusterSnapshot, LocalEndpoint, NodeFacts } from "./snapshot.ts";
import { withTunnelClients } from "./tunnel-clients.ts";

type Verdicts = Pick<MapContents, "policies" | "locations" | "endpoints" | "interfaces" | "namespaces"> & {
  readonly policyNames: DesiredState["names"];
};

/** The policies in force on this node, and their verdicts. */
interface InForce {
  readonly selection: Selection<LocalEndpoint>;
  readonly judgement: Verdicts;
}

/** Compiles a snapshot of the cluster to the desired state of this node's kernel. Equal snapshots give equal states, regardless of
 * earlier compilations: caches only save work for unchanged objects and determine the intermediate stages (`maps.through`). */
export class Compiler {
  readonly #facts = new Latest<NodeFacts>();
  readonly #ipPools = new Latest<Judged<IpPool>>();
  readonly #nodePorts = new Latest<NodePortAddresses>();
  readonly #nodes = new Latest<NodeDirectory>();
  readonly #pools = new Latest<PoolDirectory>();
  readonly #apiServers = new Latest<readonly EndpointSlice[]>();
  readonly #externalIps = new Latest<ExternalIpPolicy>();
  readonly #rules = new Latest<FrontendRules>();
  readonly #sourceRanges = new Latest<MapContents["sourceRanges"]>();
  readonly #judged = new Latest<InForce>();
  readonly #podProblems = new Latest<readonly Problem[]>();
  readonly #services: ServiceCompiler;
  readonly #limits: NodeLimits;
  readonly #subjects = new PodSubjects<LocalEndpoint>();
  readonly #selector = new PolicySelector();
  readonly #policies = new PolicyCompiler();
  readonly #locations = new LocationCompiler();
  // Separate, so that a transition does not replace the cache of the final state.
  readonly #passing = new LocationCompiler();
  #last:
    | { selection: Selection<LocalEndpoint>; policies: ReadonlyMap<Address, EndpointPolicy | undefined> }
    | undefined;

  /** @param limits smaller ones for tests */
  constructor(limits = NODE_LIMITS) {
    this.#limits = limits;
    this.#services = new ServiceCompiler(limits.services);
  }

  compile(snapshot: ClusterSnapshot): DesiredState {
    return finish(this.compiling(snapshot));
  }

  /** The same in parts. */
  *compiling(snapshot: ClusterSnapshot): Steps<DesiredState> {
    const { felixConfigurations } = snapshot;
    // The agent re-reads the machine's facts regularly. They rarely change, so an equal object is replaced by the previous one.
    const facts = this.#facts.get([JSON.stringify(snapshot.facts)], () => snapshot.facts);
    const ipPools = this.#ipPools.get([snapshot.ipPools, facts], () => judgePools(snapshot.ipPools, facts));
    const nodePorts = this.#nodePorts.get([felixConfigurations], () =>
      nodePortAddresses(defaultConfiguration(felixConfigurations)),
    );
    const nodes = this.#nodes.get([snapshot.nodes, ipPools, facts, nodePorts], () =>
      nodeDirectory(snapshot.nodes, facts, (address) => poolAround(ipPools, address), nodePorts),
    );
    const pools = this.#pools.get([ipPools, snapshot.ipamBlocks, nodes], () =>
      poolDirectory(workloadPools(ipPools), snapshot.ipamBlocks, nodes),
    );
    const ofApiServer = apiServerSlices(snapshot.endpointSlices);
    const apiServers = this.#apiServers.get([...ofApiServer], () => ofApiServer);
    const externalIps = this.#externalIps.get([felixConfigurations], () =>
      externalIpPolicy(defaultConfiguration(felixConfigurations)),
    );
    const rules = this.#rules.get([ipPools, apiServers, externalIps, nodes], () =>
      frontendRules(ipPools, apiServers, externalIps, nodes),
    );
    const services = yield* this.#services.compiling(snapshot, nodes, rules);
    const { pods: allPods, networkPolicies, namespaces } = snapshot;
    const podsHere = this.#podProblems.get([allPods, networkPolicies, namespaces, facts.nodeName], () => [
      ...podProblems(allPods, networkPolicies, facts.nodeName),
      ...namespaceProblems(namespaces),
    ]);
    const judging = [...policyInputs(snapshot), allPods, snapshot.endpoints, nodes, pools, facts];
    const { selection, judgement } = yield* this.#judged.getting(judging, () => this.#select(snapshot, nodes, pools));
    const { policyNames, ...judged } = judgement;
    const revision = policyRevision(judged.endpoints);
    const maps = {
      frontends: services.frontends,
      sourceRanges: this.#sourceRanges.get([services.sourceRanges, felixConfigurations], () =>
        withTunnelClients(services.sourceRanges, defaultConfiguration(felixConfigurations)),
      ),
      slots: services.slots,
      members: services.members,
      backends: services.backends,
      ...judged,
      ...NO_HOST_POLICIES,
      settings: compileSettings(facts, felixConfigurations, revision, services.maglev),
    };
    const { kubeProxy } = modeOf(defaultConfiguration(felixConfigurations));
    const stages = yield* this.#transition(snapshot, selection, nodes, pools);
    const through = stages.map((stage) => ({ ...maps, ...stage }));
    return {
      maps: { ...maps, ...(through.length > 0 && { through }) },
      routes: [...endpointRoutes(snapshot.endpoints), ...blockRoutes(pools)],
      natOutgoing: pools.natOutgoing,
      names: policyNames,
      kubeProxy,
      services: services.compiled,
      health:
        kubeProxy === "active"
          ? undefined
          : { checks: services.healthChecks, leaving: isOwnNodeLeaving(snapshot.nodes, facts) },
      problems: [
        ...nodes.problems,
        ...pools.problems,
        ...unusedPools(ipPools, facts),
        ...nodeProblems(snapshot.nodes, workloadPools(ipPools), facts),
        ...externalIps.problems,
        // What a kube-proxy does with services is its own.
        ...services.problems.filter(({ kind }) => kind !== "Service" || kubeProxy !== "active"),
        ...podsHere,
        ...selection.problems,
        ...configurationProblems(felixConfigurations),
        ...stagedProblems(snapshot),
      ],
      refused: refusedNames(pools),
      closedPolicies: selection.closed,
      closedServices: services.closed,
    };
  }

  /** The policies in force, judged. Where they need more entries than a node has for them, the heaviest are closed, as
   * many as it takes, in the order that is fair to small namespaces: one, two, four … */
  *#select(snapshot: ClusterSnapshot, nodes: NodeDirectory, pools: PoolDirectory): Steps<InForce> {
    const { policyEntries } = this.#limits;
    const { endpoints, pods, namespaces, serviceAccounts } = snapshot;
    const subjects = this.#subjects.of(endpoints, pods, namespaces, serviceAccounts);
    for (let closing = 0; ; closing = Math.max(1, closing * 2)) {
      const excess = { count: closing, why: excessWhy(snapshot.facts, policyEntries) };
      const selection = yield* this.#selector.selecting({ ...snapshot, subjects, salt: snapshot.facts.salt }, excess);
      const addresses = yield* this.#locations.compile(snapshot, selection.vocabulary, nodes, pools);
      const policyOf = (endpoint: LocalEndpoint) => selection.policies.get(endpoint);
      const limit = closing < selection.sources.length ? policyEntries : Number.POSITIVE_INFINITY;
      const judgement = yield* this.#judge(snapshot, addresses, selection, policyOf, limit);
      if (judgement) return { selection, judgement };
    }
  }

  *#judge(
    snapshot: ClusterSnapshot,
    addresses: LocationMap,
    selection: Pick<Selection, "inForce">,
    policyOf: (endpoint: LocalEndpoint) => EndpointPolicy | undefined,
    limit: number,
  ): Steps<Verdicts | undefined> {
    const policies = yield* this.#policies.compile(selection, addresses.identities, limit);
    if (!policies) return undefined;
    const endpoints = compileEndpoints(snapshot.endpoints, addresses, policyOf, policies);
    return {
      policies: policies.policies,
      locations: addresses.locations,
      ...endpoints,
      policyNames: { identities: addresses.names, policies: policies.names },
    };
  }

  /** The stages between the policies of the last compilation and these. Endpoints move from one policy to another while
   * addresses move from one identity to another, one write after the other; in between, pairs of policy and identity
   * without a verdict would occur. So first addresses get identities that are specific enough for both old and new policies,
   * then endpoints move, and finally (the state itself) identities are reduced to what the new policies need. */
  *#transition(
    snapshot: ClusterSnapshot,
    selection: Selection<LocalEndpoint>,
    nodes: NodeDirectory,
    pools: PoolDirectory,
  ) {
    const last = this.#last;
    const now = (endpoint: LocalEndpoint) => selection.policies.get(endpoint);
    const addresses = snapshot.endpoints.map((endpoint) => [endpoint.address, now(endpoint)] as const);
    this.#last = { selection, policies: new Map(addresses) };
    const isNew = ({ address }: LocalEndpoint) => !last?.policies.has(address);
    const before = (endpoint: LocalEndpoint) =>
      isNew(endpoint) ? now(endpoint) : last?.policies.get(endpoint.address);
    const moves = snapshot.endpoints.some((endpoint) => before(endpoint)?.name.name !== now(endpoint)?.name.name);
    if (!last || !moves) return [];
    const both = { inForce: new Map([...last.selection.inForce, ...selection.inForce]) };
    const words = yield* vocabularyOf([...last.selection.sources, ...selection.sources], selection.labelled, undefined);
    const known = yield* this.#passing.compile(snapshot, words, nodes, pools);
    const stages: Pick<MapContents, "policies" | "locations" | "endpoints" | "interfaces">[] = [];
    for (const policyOf of [before, now]) {
      const stage = yield* this.#judge(snapshot, known, both, policyOf, 2 * this.#limits.policyEntries);
      if (!stage) return []; // no room for both: endpoints move without it, closed in between where pairs were not judged
      const { policyNames: _, ...content } = stage;
      stages.push(content);
    }
    return stages;
  }
}

function isOwnNodeLeaving(nodes: readonly Node[], { nodeName }: NodeFacts): boolean {
  return nodes.some((node) => node.metadata.name === nodeName && isLeaving(node));
}

function excessWhy({ nodeName }: NodeFacts, room: number): string {
  return `does not fit beside the other policies of node ${nodeName}, which have room for ${room} entries`;
}

function poolAround({ accepted }: Judged<IpPool>, address: Address): string | undefined {
  const pool = accepted.find(({ cidr }) => covers(cidr, hostCidr(address)));
  return pool && `IPPool ${pool.object.metadata.name}`;
}

function refusedNames({ problems }: PoolDirectory): DesiredState["refused"] {
  const named = (kind: string) => new Set(problems.filter((item) => item.kind === kind).map(({ name }) => name));
  return { ipPools: named("IPPool"), ipamBlocks: named("IPAMBlock") };
}
