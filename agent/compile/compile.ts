import { type Address, type Cidr, contains, parseCidr } from "../../model/address/address.ts";
import { isAnnounced, networksOfServicesAlone } from "../../model/bgp/advertised.ts";
import { BgpPlanner } from "../../model/bgp/judge.ts";
import { defaultBgpConfiguration } from "../../model/bgp/settings.ts";
import { EgressPlanner } from "../../model/egress/judge.ts";
import { NO_EGRESS } from "../../model/egress/plan.ts";
import { type EncryptionPlan, encryptedPools, isEncrypted, planEncryption } from "../../model/encryption/encryption.ts";
import { stagedProblems } from "../../model/flow/staged-problems.ts";
import { Latest } from "../../model/memo.ts";
import { configurationProblems, defaultConfiguration, modeOf } from "../../model/mode/configuration.ts";
import { type NodePortAddresses, nodePortAddresses } from "../../model/node/node-port-addresses.ts";
import { nodeProblems } from "../../model/node/node-problems.ts";
import { type NodeDirectory, nodeDirectory } from "../../model/node/nodes.ts";
import type { IpPool } from "../../model/objects/calico.ts";
import { isLeaving, type Node } from "../../model/objects/core.ts";
import type { EndpointSlice } from "../../model/objects/discovery.ts";
import { HostDirectories } from "../../model/policy/host-directory.ts";
import type { HostInterface } from "../../model/policy/hosts.ts";
import { namespaceProblems, podProblems } from "../../model/policy/pod-problems.ts";
import { preDnatProblems } from "../../model/policy/pre-dnat-problems.ts";
import { namespacePoolProblems } from "../../model/pool/choice.ts";
import { type Judged, judgePools } from "../../model/pool/claims.ts";
import { type PoolDirectory, poolDirectory } from "../../model/pool/pools.ts";
import { loadBalancerPools, unusedPools, workloadPools } from "../../model/pool/uses.ts";
import type { Problem } from "../../model/problem.ts";
import { isLocal, Unannounced } from "../../model/service/announcing.ts";
import { type ExternalIpPolicy, externalIpPolicy } from "../../model/service/external-ips.ts";
import { type FrontendRules, frontendRules, isOfApiServer } from "../../model/service/frontend-rules.ts";
import type { CompiledService, ServedFrontend } from "../../model/service/service.ts";
import { finish, type Steps } from "../../model/steps.ts";
import { Selection } from "../../model/tally.ts";
import { BandwidthCompiler } from "./bandwidths.ts";
import type { DesiredState, MapContents } from "./desired.ts";
import { EgressCompiler } from "./egress.ts";
import { endpointRoutes } from "./endpoints.ts";
import { NODE_LIMITS } from "./limits.ts";
import { ownRequests } from "./own-requests.ts";
import { PoliciesInForce } from "./policies-in-force.ts";
import { blockRoutes } from "./pools.ts";
import { policyRevision } from "./revisions.ts";
import { ServiceCompiler } from "./services.ts";
import { compileSettings } from "./settings.ts";
import type { ClusterSnapshot, NodeFacts } from "./snapshot.ts";
import { withTunnelClients } from "./tunnel-clients.ts";
import { compileUplinks } from "./uplinks.ts";

/** Compiles a snapshot of the cluster to the desired state of this node's kernel. Equal snapshots give equal states, regardless of
 * earlier compilations: caches only save work for unchanged objects and determine the intermediate stages (`maps.through`). */
export class Compiler {
  readonly #facts = new Latest<NodeFacts>();
  readonly #wrappedPools = new Latest<readonly IpPool[]>();
  readonly #encryption = new Latest<EncryptionPlan>();
  readonly #ipPools = new Latest<Judged<IpPool>>();
  readonly #nodePorts = new Latest<NodePortAddresses>();
  readonly #nodes = new Latest<NodeDirectory>();
  readonly #pools = new Latest<PoolDirectory>();
  readonly #apiServers = new Selection<EndpointSlice>(isOfApiServer);
  readonly #externalIps = new Latest<ExternalIpPolicy>();
  readonly #rules = new Latest<FrontendRules>();
  readonly #ofServices = new Latest<readonly Cidr[]>();
  readonly #sourceRanges = new Latest<MapContents["sourceRanges"]>();
  readonly #uplinks = new Latest<MapContents["uplinks"]>();
  readonly #podProblems = new Latest<readonly Problem[]>();
  readonly #services: ServiceCompiler;
  readonly #hosts = new HostDirectories();
  readonly #bandwidths = new BandwidthCompiler();
  readonly #bgp = new BgpPlanner();
  readonly #local = new Selection<CompiledService>(({ frontends }) => frontends.some(isLocal));
  readonly #isAnnounced = new Latest<(frontend: ServedFrontend) => boolean>();
  readonly #unannounced = new Unannounced();
  readonly #egressPlan = new EgressPlanner();
  readonly #egress = new EgressCompiler();
  readonly #judging: PoliciesInForce;

  /** @param limits smaller ones for tests */
  constructor(limits = NODE_LIMITS) {
    this.#judging = new PoliciesInForce(limits);
    this.#services = new ServiceCompiler(limits.services);
  }

  compile(snapshot: ClusterSnapshot): DesiredState {
    return finish(this.compiling(snapshot));
  }

  /** The same in parts. */
  *compiling(asRead: ClusterSnapshot): Steps<DesiredState> {
    const { felixConfigurations } = asRead;
    const encrypts = isEncrypted(defaultConfiguration(felixConfigurations));
    const wrapped = () => this.#wrappedPools.get([asRead.ipPools], () => encryptedPools(asRead.ipPools));
    const snapshot = encrypts ? { ...asRead, ipPools: wrapped() } : asRead;
    // The agent re-reads the machine's facts regularly. They rarely change, so an equal object is replaced by the previous one.
    const facts = this.#facts.get([JSON.stringify(snapshot.facts)], () => snapshot.facts);
    const ipPools = this.#ipPools.get([snapshot.ipPools, facts], () => judgePools(snapshot.ipPools, facts));
    const nodePorts = this.#nodePorts.get([felixConfigurations], () =>
      nodePortAddresses(defaultConfiguration(felixConfigurations)),
    );
    const nodes = this.#nodes.get([snapshot.nodes, ipPools, facts, nodePorts], () =>
      nodeDirectory(snapshot.nodes, facts, (address) => poolAround(ipPools, address), nodePorts),
    );
    const encryption = encrypts
      ? this.#encryption.get([snapshot.nodes, nodes], () => planEncryption(snapshot.nodes, nodes))
      : undefined;
    const pools = this.#pools.get([ipPools, snapshot.ipamBlocks, nodes], () =>
      poolDirectory(workloadPools(ipPools), snapshot.ipamBlocks, nodes),
    );
    const apiServers = this.#apiServers.of(snapshot.endpointSlices);
    const externalIps = this.#externalIps.get([felixConfigurations], () =>
      externalIpPolicy(defaultConfiguration(felixConfigurations)),
    );
    const rules = this.#rules.get([ipPools, apiServers, externalIps, nodes], () =>
      frontendRules(ipPools, apiServers, externalIps, nodes),
    );
    const { services: served, endpointSlices } = snapshot.served ?? snapshot;
    const services = yield* this.#services.compiling({ ...snapshot, services: served, endpointSlices }, nodes, rules);
    const { pods: allPods, networkPolicies, namespaces } = snapshot;
    const podsHere = this.#podProblems.get([allPods, networkPolicies, namespaces, facts.nodeName, ipPools], () => [
      ...podProblems(allPods, networkPolicies, facts.nodeName),
      ...namespaceProblems(namespaces),
      ...namespacePoolProblems(
        namespaces.map(({ metadata }) => metadata),
        ipPools.accepted.map(({ object }) => object),
      ),
    ]);
    const hosts = this.#hosts.of(snapshot, nodes, facts.uplinks ?? NO_UPLINKS);
    const { kubeProxy } = modeOf(defaultConfiguration(felixConfigurations));
    const ofServices = this.#ofServices.get([snapshot.bgpConfigurations, felixConfigurations, nodes, pools], () => {
      const bgp = defaultBgpConfiguration(snapshot.bgpConfigurations);
      return networksOfServicesAlone(bgp, defaultConfiguration(felixConfigurations), nodes, pools);
    });
    const places = { facts, nodes, pools, ofServices, hosts };
    const { selection, judgement } = yield* this.#judging.judging(snapshot, places);
    const { policyNames, contents, policyLogs, ...judged } = judgement;
    const revision = policyRevision(judged);
    const bandwidths = this.#bandwidths.of(snapshot);
    const egress = this.#egressPlan.judge(snapshot, nodes, ipPools);
    const hasEgress = egress !== NO_EGRESS;
    const maps = {
      frontends: services.frontends,
      sourceRanges: this.#sourceRanges.get([services.sourceRanges, felixConfigurations], () =>
        withTunnelClients(services.sourceRanges, defaultConfiguration(felixConfigurations)),
      ),
      slots: services.slots,
      members: services.members,
      backends: services.backends,
      bandwidths,
      ...this.#egress.of(egress),
      uplinks: this.#uplinks.get([facts], () => compileUplinks(facts)),
      ...judged,
      settings: compileSettings(facts, felixConfigurations, revision, { ...services, bandwidths, hasEgress }, judged),
    };
    const { compiled, lost } = services;
    const bgp = this.#bgp.judge(snapshot, { nodes, pools, ipPools, services: compiled, lost });
    const local = this.#local.of(compiled);
    const { bgpConfigurations } = snapshot;
    const isAnnounced = this.#isAnnounced.get([ipPools, nodes, bgpConfigurations], () =>
      announcedBy(ipPools, nodes, bgpConfigurations),
    );
    const silent = this.#unannounced.problems(local, lost, snapshot.nodes, nodes, isAnnounced);
    const stages = yield* this.#judging.transition(snapshot, selection, places);
    const through = stages.map((stage) => ({ ...maps, ...stage }));
    return {
      maps: { ...maps, ...(through.length > 0 && { through }) },
      // Of two routes to one destination the last counts: a block or a loan may be a single address.
      routes: [...blockRoutes(pools), ...endpointRoutes(snapshot.endpoints)],
      ownRequests: ownRequests(services.sctp, kubeProxy),
      bgp: bgp.plan,
      encryption,
      names: policyNames,
      contents,
      hosts,
      logs: policyLogs,
      kubeProxy,
      services: services.compiled,
      lists: services.lists,
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
        ...preDnatProblems(selection.sources, kubeProxy),
        ...stagedProblems(snapshot),
        ...hosts.own.problems,
        ...bgp.problems,
        ...silent,
        ...egress.problems,
        ...(encryption?.problems ?? []),
      ],
      refused: refusedNames(pools),
      closedPolicies: selection.closed,
      closedServices: services.closed,
    };
  }
}

const NO_UPLINKS: readonly HostInterface[] = [];

function isOwnNodeLeaving(nodes: readonly Node[], { nodeName }: NodeFacts): boolean {
  return nodes.some((node) => node.metadata.name === nodeName && isLeaving(node));
}

function poolAround({ accepted }: Judged<IpPool>, address: Address): string | undefined {
  const pool = accepted.find(({ cidr }) => contains(cidr, address));
  return pool && `IPPool ${pool.object.metadata.name}`;
}

/** Whether nodes announce a frontend's address: by ARP and neighbor discovery on this node's links, or by BGP. */
function announcedBy(
  ipPools: Judged<IpPool>,
  { facts }: NodeDirectory,
  bgpConfigurations: ClusterSnapshot["bgpConfigurations"],
): (frontend: ServedFrontend) => boolean {
  const bgp = defaultBgpConfiguration(bgpConfigurations);
  const balanced = facts.loadBalancer ? loadBalancerPools(ipPools).map(({ cidr }) => cidr) : [];
  const links = facts.subnets.map(parseCidr);
  return (frontend) => {
    const isIn = (all: readonly Cidr[]) => all.some((one) => contains(one, frontend.key.address));
    const onLink = frontend.claim === "load balancer" && isIn(balanced) && isIn(links);
    return onLink || (bgp !== undefined && isAnnounced(bgp, frontend));
  };
}

function refusedNames({ problems }: PoolDirectory): DesiredState["refused"] {
  const named = (kind: string) => new Set(problems.filter((item) => item.kind === kind).map(({ name }) => name));
  return { ipPools: named("IPPool"), ipamBlocks: named("IPAMBlock") };
}
