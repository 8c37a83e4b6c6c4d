import { isEncrypted } from "../../model/encryption/encryption.ts";
import { defaultConfiguration } from "../../model/mode/configuration.ts";
import type { Problem } from "../../model/problem.ts";
import type { EndpointStore } from "../cni/endpoint-store.ts";
import type { DesiredState } from "../compile/desired.ts";
import type { NodeFacts } from "../compile/snapshot.ts";
import type { RouteConflict } from "../network/routes.ts";
import type { Logger } from "../observe/log.ts";
import type { AgentOptions } from "../options.ts";
import { PodMtu } from "../pods/pod-mtu.ts";
import { hasIpv6Pools } from "../pods/pools.ts";
import { Turns } from "../process/turns.ts";
import type { Cluster } from "../watch/cluster.ts";
import { KubeProxyLeftovers } from "./kube-proxy-leftovers.ts";
import { nodeAddresses } from "./node-address.ts";
import type { NodeNetwork } from "./node-network.ts";

export interface MachineParts {
  readonly options: Pick<AgentOptions, "node" | "nodeAddress">;
  readonly cluster: Pick<Cluster, "store">;
  readonly endpoints: Pick<EndpointStore, "list">;
  readonly network: Pick<NodeNetwork, "refresh" | "routePods" | "route" | "lead" | "podMtu" | "followMtu" | "encrypts">;
  readonly log: Pick<Logger, "info">;
}

/** What this machine is to have apart from maps. */
export type WantedOfMachine = Pick<DesiredState, "routes" | "ownRequests" | "kubeProxy">;

/** What was written, and what this machine was then. */
interface Written {
  readonly wanted: WantedOfMachine;
  readonly text: string;
  readonly facts: NodeFacts;
}

/**
 * This machine, as passes know it. A look at it takes processes (ip, nft) and their time, so it is taken while passes go on with what the
 * last one has found. Of both, one at a time writes routes.
 */
export class Machine {
  readonly #parts: MachineParts;
  readonly #podMtu: PodMtu;
  readonly #leftovers: KubeProxyLeftovers;
  readonly #turns = new Turns();
  #facts: NodeFacts | undefined;
  /** Whether the last look succeeded. */
  #isKnown = false;
  #hasIpv6Pool = false; // when the machine was looked at last
  #encrypts = false;
  #written: Written | undefined;
  #problems: readonly Problem[] = [];

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#podMtu = new PodMtu(parts);
    this.#leftovers = new KubeProxyLeftovers(parts);
    parts.network.encrypts = () => this.#encrypts;
  }

  /** What it finds of itself; undefined before the first pass. */
  readonly facts = (): NodeFacts | undefined => this.#facts;

  /** Destinations that another route has, and requests that cannot be led through the packet path. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Whether the node's families are known for the pools that there are now. A pod that starts just before would have no IPv6 address for its life. */
  readonly knowsFamilies = (): boolean => this.#hasIpv6Pool === hasIpv6Pools(this.#parts.cluster.store);

  /** As the last look has found it. Looks now if there was none, or if the cluster asks for another family or for encryption since.
   * @throws Error where that fails */
  async known(): Promise<NodeFacts> {
    const { store } = this.#parts.cluster;
    const encrypts = isEncrypted(defaultConfiguration(store.list("felixConfigurations")));
    if (encrypts !== this.#encrypts) this.#written = undefined; // the MTU of routes is another one
    if (encrypts !== this.#encrypts || !this.knowsFamilies()) this.#isKnown = false;
    this.#encrypts = encrypts;
    if (!this.#isKnown) await this.#turns.take(() => this.#refresh());
    return this.#facts as NodeFacts;
  }

  /** Looks at the machine, and writes again what other programs have changed of it. What cannot be found out or written is for the next
   * pass, which reports it. */
  lookAgain(): Promise<void> {
    return this.#turns.take(() => this.#look());
  }

  /** Writes what differs: first the routes to pods, for which pods wait, then the rest. If the kernel refuses a route, only that route is
   * missing. @param podsAreRouted called when only pods' routes differed, and these are written
   * @throws Error what was refused; the next call tries again */
  async follow(
    { routes, ownRequests, kubeProxy }: WantedOfMachine,
    facts: NodeFacts,
    podsAreRouted: () => void,
  ): Promise<void> {
    // Only this much: it is kept until something of it changes, and a pass's whole state would be kept with it.
    const wanted = { routes, ownRequests, kubeProxy };
    const text = JSON.stringify(wanted);
    try {
      if (this.#written?.facts !== facts || this.#written.text !== text) {
        await this.#turns.take(async () => {
          if (await this.#parts.network.routePods(wanted.routes, facts)) podsAreRouted();
          await this.#write({ wanted, text, facts });
        });
      }
    } finally {
      if (this.#podMtu.isBehind) await this.#turns.take(() => this.#podMtu.follow());
    }
  }

  async #look(): Promise<void> {
    const written = this.#written;
    try {
      await this.#refresh();
      this.#leftovers.lookAgain();
      try {
        if (written && written.facts === this.#facts) await this.#write(written);
      } finally {
        this.#podMtu.lookAgain();
        await this.#podMtu.follow();
      }
    } catch {
      this.#isKnown = false;
    }
  }

  async #refresh(): Promise<void> {
    const { options, cluster, network } = this.#parts;
    const hasIpv6Pool = hasIpv6Pools(cluster.store);
    const { underlay, ipv6 } = nodeAddresses(cluster.store.list("nodes"), options.node, options.nodeAddress);
    // A node's IPv6 is not touched before a pool gives its pods IPv6 addresses.
    this.#facts = await network.refresh({ underlay, ipv6: hasIpv6Pool || underlay === ipv6 ? ipv6 : undefined });
    this.#hasIpv6Pool = hasIpv6Pool;
    this.#isKnown = true;
  }

  /** Compares with the kernel, which takes processes. */
  async #write(written: Written): Promise<void> {
    const { network, options } = this.#parts;
    const { wanted, facts } = written;
    try {
      const conflicts = await network.route(wanted.routes, facts);
      const notLed = await network.lead(wanted.ownRequests, facts);
      this.#problems = [
        ...conflicts.map((conflict) => routeProblem(options.node, conflict)),
        ...(notLed === undefined ? [] : [ownRequestProblem(options.node, notLed)]),
      ];
      await this.#leftovers.follow(wanted.kubeProxy);
      this.#written = written;
    } catch (error) {
      this.#written = undefined;
      throw error;
    }
  }
}

/** A destination to which the node already has another program's route. */
function routeProblem(node: string, { destination, other }: RouteConflict): Problem {
  const message =
    `${destination} has another route on this node ("${other}"), which is kept, so pods there may ` +
    "not be reachable from this node. Next: remove that route, or the IPAMBlock.";
  return { kind: "Node", name: node, path: "status", message };
}

/** Processes of the node do not reach Services over SCTP. @param why the message of the command that failed */
function ownRequestProblem(node: string, why: string): Problem {
  const message =
    `Processes of this node do not reach Services over SCTP, pods and clients do: ${why}. ` +
    "Next: the kernel needs routing rules by protocol (IP_MULTIPLE_TABLES); the agent tries again.";
  return { kind: "Node", name: node, path: "status", message };
}
