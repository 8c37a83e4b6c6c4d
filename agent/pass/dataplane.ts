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
import { Machine } from "../machine/machine.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import type { Logger } from "../observe/log.ts";
import type { AgentMetrics } from "../observe/metrics.ts";
import { NumberNames } from "../observe/number-names.ts";
import type { AgentOptions } from "../options.ts";
import { localEndpoint } from "../pods/local-endpoint.ts";
import { encapsulatingPools } from "../pods/pools.ts";
import { inSlices } from "../process/slices.ts";
import { EndpointGate } from "../reconcile/endpoint-gate.ts";
import { Reconciler, type WrittenStores } from "../reconcile/reconciler.ts";
import type { Cluster } from "../watch/cluster.ts";
import { PacedServices } from "./paced-services.ts";
import { UnwrittenLog, unwrittenProblems } from "./unwritten.ts";

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

/** Milliseconds of work in a row beside passes, which take longer ones. */
const BESIDE_PASSES_MS = 3;

/** Applies the cluster's objects to the kernel: snapshot → compile → maps, routes. */
export class Dataplane {
  readonly gate: EndpointGate;
  readonly machine: Machine;
  /** Called after maps were written, with the changed maps. */
  onWritten: (changed: ReadonlySet<WrittenMap>) => void = () => {};
  readonly #parts: DataplaneParts;
  #compiler: Compiler;
  readonly #reconciler: Reconciler;
  readonly paced = new PacedServices(); // what it leaves is for the next pass, which is due at once
  /** Maps in which another process has changed something. */
  readonly #toRead = new Set<WrittenMap>();
  #local: readonly LocalEndpoint[] | undefined;
  #kubeProxy: DesiredState["kubeProxy"] | undefined;
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
  #reportedError = "";
  readonly #unwritten: UnwrittenLog;

  constructor(parts: DataplaneParts) {
    this.#parts = parts;
    this.#compiler = new Compiler(nodeLimits(parts.maps));
    this.numbers = new NumberNames(parts.options, parts.log);
    this.#reconciler = new Reconciler(parts.maps);
    this.gate = new EndpointGate(this.#reconciler.deltas);
    this.machine = new Machine(parts);
    this.#unwritten = new UnwrittenLog(parts.log);
    const { store } = parts.cluster;
    parts.network.pools = () => encapsulatingPools(store, this.refused.ipPools);
  }

  /** Updates the kernel to the cluster's current state. "partly": some entries could not be written, which was reported
   * and is retried; "failed": the state of the rest is unknown. Yields to other work meanwhile; one pass at a time. */
  async apply(): Promise<"done" | "partly" | "failed"> {
    const started = performance.now();
    try {
      const { desired, facts, unreadable } = await this.#compile();
      await this.#readChanged();
      const { written, changed, problems, pending } = await inSlices(this.#reconciler.syncing(desired.maps));
      this.#reportServiceHandling(desired.kubeProxy);
      this.refused = desired.refused;
      this.closedPolicies = desired.closedPolicies;
      this.closedServices = desired.closedServices;
      this.#services = { services: desired.services, lists: desired.lists };
      const routed = await this.#writeMachine(desired, facts);
      this.gate.settle();
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
        ...this.machine.problems,
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

  /** Reads the maps while passes go on; the next pass corrects what another process has changed. */
  async readAgain(): Promise<void> {
    for (const map of await inSlices(this.#reconciler.comparing(), BESIDE_PASSES_MS)) this.#toRead.add(map);
  }

  /** Looks at the machine while passes go on: its interfaces, and whether its routes still exist. A pass is due afterwards. */
  async lookAgain(): Promise<void> {
    await this.machine.lookAgain();
    this.#parts.encryption.lookAgain();
  }

  /** The endpoints of this node changed. */
  endpointsChanged(): void {
    this.#local = undefined;
  }

  async #compile(): Promise<{ desired: DesiredState; facts: NodeFacts; unreadable: readonly Problem[] }> {
    const { cluster, endpoints } = this.#parts;
    const facts = await this.machine.known();
    this.#local ??= endpoints.list().map((endpoint) => localEndpoint(endpoint));
    const snapshot = this.paced.of(cluster.store.snapshot(facts, this.#local));
    // Of the same objects: what arrives while this pass works is for the next one, also what is wrong with it.
    const unreadable = cluster.store.problems();
    return { desired: await this.#desiredFor(snapshot), facts, unreadable };
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

  async #readChanged(): Promise<void> {
    for (const map of this.#toRead) {
      await inSlices(this.#reconciler.rereading([map]));
      this.#toRead.delete(map);
    }
  }

  async #writeMachine(desired: DesiredState, facts: NodeFacts): Promise<boolean> {
    try {
      await this.machine.follow(desired, facts, () => this.gate.settle());
      return true;
    } catch (error) {
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
