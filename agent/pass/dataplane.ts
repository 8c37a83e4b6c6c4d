import { isEncrypted } from "../../model/encryption/encryption.ts";
import { defaultConfiguration } from "../../model/mode/configuration.ts";
import type { Problem } from "../../model/problem.ts";
import { type BackendCounts, backendCounts } from "../../model/service/backend-counts.ts";
import type { Bgp } from "../bgp/bgp.ts";
import type { EndpointStore } from "../cni/endpoint-store.ts";
import { Compiler } from "../compile/compile.ts";
import { type DesiredState, type InForceNow, NOTHING_IN_FORCE, type WrittenMap } from "../compile/desired.ts";
import { nodeLimits } from "../compile/limits.ts";
import type { ClusterSnapshot, LocalEndpoint, NodeFacts } from "../compile/snapshot.ts";
import type { Encryption } from "../encryption/encryption.ts";
import type { HealthChecks } from "../health-checks/health-checks.ts";
import { KubeProxyLeftovers } from "../machine/kube-proxy-leftovers.ts";
import { nodeAddresses } from "../machine/node-address.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import type { Logger } from "../observe/log.ts";
import type { AgentMetrics } from "../observe/metrics.ts";
import { NumberNames } from "../observe/number-names.ts";
import type { AgentOptions } from "../options.ts";
import { localEndpoint } from "../pods/local-endpoint.ts";
import { PodMtu } from "../pods/pod-mtu.ts";
import { encapsulatingPools, hasIpv6Pools } from "../pods/pools.ts";
import { inSlices } from "../process/slices.ts";
import { EndpointGate } from "../reconcile/endpoint-gate.ts";
import { Reconciler, type WrittenStores } from "../reconcile/reconciler.ts";
import type { Cluster } from "../watch/cluster.ts";
import { PacedServices } from "./paced-services.ts";
import { ownRequestProblem, routeProblem, UnwrittenLog, unwrittenProblems } from "./unwritten.ts";

export interface DataplaneParts {
  readonly options: Pick<AgentOptions, "node" | "nodeAddress" | "runDirectory">;
  readonly cluster: Cluster;
  readonly endpoints: EndpointStore;
  readonly network: NodeNetwork;
  readonly maps: WrittenStores;
  readonly healthChecks: HealthChecks;
  readonly bgp: Pick<Bgp, "apply">;
  readonly encryption: Pick<Encryption, "apply" | "lookAgain">;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
}

/** Applies the cluster's objects to the kernel: snapshot → compile → maps, routes. */
export class Dataplane {
  readonly gate: EndpointGate;
  readonly #podMtu: PodMtu;
  /** Called after maps were written, with the changed maps. */
  onWritten: (changed: ReadonlySet<WrittenMap>) => void = () => {};
  readonly #parts: DataplaneParts;
  #compiler: Compiler;
  readonly #reconciler: Reconciler;
  #facts: NodeFacts | undefined;
  #hasIpv6Pool = false; // when the machine was looked at last
  #encrypts = false;
  readonly paced = new PacedServices(); // what it leaves is for the next pass, which is due at once
  #reread = false;
  #local: readonly LocalEndpoint[] | undefined;
  #network = "";
  #kubeProxy: DesiredState["kubeProxy"] | undefined;
  readonly #leftovers: KubeProxyLeftovers;
  /** Of the last pass. */
  inForce: InForceNow = NOTHING_IN_FORCE;
  readonly numbers: NumberNames;
  /** Blocks from which no address may be allocated. */
  refused: DesiredState["refused"] = { ipPools: new Set(), ipamBlocks: new Set() };
  /** Policies that exceed the size limit and allow nothing. */
  closedPolicies = 0;
  /** Services that exceed the size limit and are not served. */
  closedServices = 0;
  /** Of other parts of the agent. */
  readonly otherProblems: (() => readonly Problem[])[] = [];
  #services: Pick<DesiredState, "services" | "lists"> = { services: [], lists: new Map() };
  #routeProblems: readonly Problem[] = [];
  #reportedError = "";
  readonly #unwritten: UnwrittenLog;

  constructor(parts: DataplaneParts) {
    this.#parts = parts;
    this.#compiler = new Compiler(nodeLimits(parts.maps));
    this.numbers = new NumberNames(parts.options, parts.log);
    this.#reconciler = new Reconciler(parts.maps);
    this.gate = new EndpointGate(this.#reconciler.deltas);
    this.#podMtu = new PodMtu(parts);
    this.#leftovers = new KubeProxyLeftovers(parts);
    this.#unwritten = new UnwrittenLog(parts.log);
    const { store } = parts.cluster;
    parts.network.encrypts = () => this.#encrypts;
    parts.network.pools = () => encapsulatingPools(store, this.refused.ipPools);
  }

  /** Updates the kernel to the cluster's current state. "partly": some entries could not be written, which was reported
   * and is retried; "failed": the state of the rest is unknown. Yields to other work meanwhile; one pass at a time. */
  async apply(): Promise<"done" | "partly" | "failed"> {
    const started = performance.now();
    try {
      const { desired, facts, unreadable } = await this.#compile();
      if (this.#reread) await inSlices(this.#reconciler.rereading());
      this.#reread = false;
      const { written, changed, problems, pending } = await inSlices(this.#reconciler.syncing(desired.maps));
      this.#reportServiceHandling(desired.kubeProxy);
      this.refused = desired.refused;
      this.closedPolicies = desired.closedPolicies;
      this.closedServices = desired.closedServices;
      this.#services = desired;
      // Pods wait for their own routes, not for a look at all others.
      if (await this.#parts.network.routePods(desired.routes, facts)) this.gate.settle();
      const routed = await this.#writeNetwork(desired, facts);
      this.gate.settle();
      await this.#podMtu.follow();
      this.numbers.add(desired.names);
      const { contents, logs, hosts } = desired;
      this.inForce = { contents, logs, node: { directory: hosts, facts } };
      if (written > 0) {
        this.#parts.log.debug({ written, pending }, "maps written");
        this.onWritten(changed);
      }
      const healthProblems = await this.#parts.healthChecks.apply(desired.health);
      const bgpProblems = await this.#parts.bgp.apply(desired.bgp, this.#parts.cluster.secrets);
      this.#parts.cluster.problems.report([
        ...unreadable,
        ...desired.problems,
        ...this.#routeProblems,
        ...unwrittenProblems(this.#parts.options.node, problems),
        ...healthProblems,
        ...bgpProblems,
        ...this.#parts.encryption.apply(desired.encryption),
        ...this.otherProblems.flatMap((of) => of()),
      ]);
      this.#unwritten.log(problems);
      this.#parts.metrics.reconciled((performance.now() - started) / 1000, pending);
      if (routed) this.#reportedError = "";
      return pending === 0 && routed && !this.paced.isBehind ? "done" : "partly";
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return "failed";
    }
  }

  /** What this machine finds of itself; undefined before the first pass. */
  readonly facts = (): NodeFacts | undefined => this.#facts;

  /** The known number of entries in a map. */
  entries(map: WrittenMap): number {
    return this.#reconciler.deltas[map].actualCount;
  }

  /** Counted when asked: a scrape is rarer than a change. */
  backendCounts(): BackendCounts {
    return backendCounts(this.#services.services);
  }

  /** What the maps of services were made from, and the numbers of their backend lists. */
  servedServices(): Pick<DesiredState, "services" | "lists"> {
    return this.#services;
  }

  /** Read the maps again in the next pass, to correct changes by other processes. */
  readAgain(): void {
    this.#reread = true;
  }

  /** Check the machine again in the next pass: its interfaces, and whether its routes still exist. */
  lookAgain(): void {
    this.#facts = undefined;
    this.#network = "";
    this.#leftovers.lookAgain();
    this.#parts.encryption.lookAgain();
    this.#podMtu.lookAgain();
  }

  /** Whether the node's families are known for the pools that there are now. A pod that starts just before would have no IPv6 address for its life. */
  readonly knowsFamilies = (): boolean => this.#hasIpv6Pool === hasIpv6Pools(this.#parts.cluster.store);

  /** The endpoints of this node changed. */
  endpointsChanged(): void {
    this.#local = undefined;
  }

  async #compile(): Promise<{ desired: DesiredState; facts: NodeFacts; unreadable: readonly Problem[] }> {
    const { cluster, endpoints } = this.#parts;
    // A node's IPv6 is not touched before a pool gives its pods IPv6 addresses.
    const hasIpv6Pool = hasIpv6Pools(cluster.store);
    const encrypts = isEncrypted(defaultConfiguration(cluster.store.list("felixConfigurations")));
    if (hasIpv6Pool !== this.#hasIpv6Pool) this.#facts = undefined;
    if (encrypts !== this.#encrypts) this.lookAgain();
    this.#encrypts = encrypts;
    this.#facts ??= await this.#lookAtMachine(hasIpv6Pool);
    this.#hasIpv6Pool = hasIpv6Pool;
    this.#local ??= endpoints.list().map((endpoint) => localEndpoint(endpoint));
    const snapshot = this.paced.of(cluster.store.snapshot(this.#facts, this.#local));
    // Of the same objects: what arrives while this pass works is for the next one, also what is wrong with it.
    const unreadable = cluster.store.problems();
    return { desired: await this.#desiredFor(snapshot), facts: snapshot.facts, unreadable };
  }

  async #desiredFor(snapshot: ClusterSnapshot): Promise<DesiredState> {
    try {
      return await inSlices(this.#compiler.compiling(snapshot));
    } catch (error) {
      // It has taken note of changes that it did not compile.
      this.#compiler = new Compiler(nodeLimits(this.#parts.maps));
      throw error;
    }
  }

  #lookAtMachine(hasIpv6Pool: boolean): Promise<NodeFacts> {
    const { options, cluster, network } = this.#parts;
    const { underlay, ipv6 } = nodeAddresses(cluster.store.list("nodes"), options.node, options.nodeAddress);
    return network.refresh({ underlay, ipv6: hasIpv6Pool || underlay === ipv6 ? ipv6 : undefined });
  }

  // Comparing with the kernel costs processes, so it is done only after a change and when the machine is checked.
  // If the kernel refuses a route, only that route is missing: it is retried, and pods continue to work.
  async #writeNetwork({ routes, ownRequests, kubeProxy }: DesiredState, facts: NodeFacts): Promise<boolean> {
    const text = JSON.stringify([routes, ownRequests, kubeProxy]);
    if (text === this.#network) return true;
    this.#network = text; // a look again that comes meanwhile counts
    try {
      const { node } = this.#parts.options;
      const conflicts = await this.#parts.network.route(routes, facts);
      const notLed = await this.#parts.network.lead(ownRequests, facts);
      this.#routeProblems = [
        ...conflicts.map((conflict) => routeProblem(node, conflict)),
        ...(notLed === undefined ? [] : [ownRequestProblem(node, notLed)]),
      ];
      await this.#leftovers.follow(kubeProxy);
      return true;
    } catch (error) {
      this.#network = "";
      this.#fail(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #reportServiceHandling(kubeProxy: DesiredState["kubeProxy"]): void {
    const before = this.#kubeProxy === "active";
    const now = kubeProxy === "active";
    this.#kubeProxy = kubeProxy;
    if (before !== now)
      this.#parts.log.info(now ? "services are handled by kube-proxy" : "services are handled by the dataplane again");
  }

  #fail(message: string): void {
    this.#parts.metrics.failed("reconcile");
    if (message !== this.#reportedError)
      this.#parts.log.error(`Cannot update the kernel to the cluster's state: ${message}`);
    this.#reportedError = message;
  }
}
