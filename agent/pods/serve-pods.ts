import { join } from "node:path";
import { isPodOf } from "../../model/objects/pod-of.ts";
import type { Problem } from "../../model/problem.ts";
import type { Endpoint, EndpointStore } from "../cni/endpoint-store.ts";
import { installPlugin } from "../cni/install.ts";
import { CniPlugin } from "../cni/plugin.ts";
import { CniCode, CniError } from "../cni/request.ts";
import { serveCni } from "../cni/server.ts";
import { Allocator } from "../ipam/allocator.ts";
import type { Block } from "../ipam/block.ts";
import { lendWhenAsked } from "../ipam/lending.ts";
import { Upkeep } from "../ipam/upkeep.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import type { Health } from "../observe/health.ts";
import type { Logger } from "../observe/log.ts";
import type { AgentMetrics } from "../observe/metrics.ts";
import { type AgentOptions, runFile, shimPath } from "../options.ts";
import type { Dataplane } from "../pass/dataplane.ts";
import type { Rounds } from "../pass/rounds.ts";
import type { Cluster } from "../watch/cluster.ts";
import type { endpointLife } from "./endpoint-life.ts";
import { lendersIn, PodPools, reservedIn } from "./pools.ts";

const UPKEEP_MS = 30_000;
/** How long a pod's start waits for another node's answer. */
const ANSWER_MS = 5_000;

/** The parts of an agent that pods' networks need. */
interface PodServer {
  readonly options: AgentOptions;
  readonly log: Logger;
  readonly health: Health;
  readonly endpoints: EndpointStore;
  readonly network: NodeNetwork;
  readonly metrics: AgentMetrics;
  /** Whether pods' addresses come from this node's `spec.podCIDRs` alone. */
  readonly hostLocal: boolean;
}

/** Installs the CNI plugin last, because kubelet starts pods as soon as it exists. */
export async function servePods(
  agent: PodServer,
  cluster: Cluster,
  rounds: Rounds,
  dataplane: Pick<Dataplane, "refused" | "otherProblems" | "machine">,
  life: ReturnType<typeof endpointLife>,
): Promise<void> {
  const { options, endpoints, network, health, log } = agent;
  const families = () => network.families;
  const refused = () => dataplane.refused;
  const { hostLocal } = agent;
  const { knowsFamilies } = dataplane.machine;
  const ofNode = { node: options.node, families, knowsFamilies, hostLocal };
  const pools = new PodPools({ ...ofNode, store: cluster.store, rounds, refused });
  const soon = (condition: () => boolean) =>
    rounds.until(condition, AbortSignal.timeout(ANSWER_MS)).then(
      () => true,
      () => false,
    );
  const allocator = new Allocator({
    node: options.node,
    claims: cluster.claims,
    refusedBlocks: () => refused().ipamBlocks,
    use: endpoints,
    families,
    reserved: reservedIn(cluster.store),
    whenFull: hostLocal ? END_PODS : undefined,
    loans: hostLocal ? undefined : { lenders: lendersIn(cluster.store, options.node), soon },
  });
  const exhausted = hostLocal ? (pool: string) => exhaustedNode(options.node, pool) : exhaustedPool;
  dataplane.otherProblems.push(() => [...allocator.exhausted()].sort().map(exhausted));
  dataplane.otherProblems.push(() => pools.problems());
  const { sysctlRoot } = options;
  const plugin = new CniPlugin({
    endpoints,
    allocator,
    poolsOf: (attachment) => pools.of(attachment),
    podOf: (attachment) => cluster.store.list("pods").find((pod) => isPodOf(pod, attachment)),
    expectReady: () => expectReady(health.reasons(), pools.serveNode()),
    life,
    mtu: () => network.podMtu,
    sysctlRoot,
    took: agent.metrics.addTook,
  });
  const { store, claims } = cluster;
  const forget = (endpoint: Endpoint) => plugin.forget(endpoint);
  const known = () => endpoints.list();
  const gives = (block: Block) => pools.gives(block);
  new Upkeep({ node: options.node, store, claims, allocator, endpoints: known, gives, forget, log }).start(UPKEEP_MS);
  const failed = (message: string) => log.info(`addresses of this node are not lent yet: ${message}`);
  void lendWhenAsked({ claims, allocator, until: (condition) => rounds.until(condition), failed });
  await serveCni(runFile(options, "agent.sock"), plugin, log, agent.metrics.cniCalled);
  health.waitsFor("the CNI plugin to be installed");
  const socket = join(options.runDirectoryOnNode ?? options.runDirectory, "agent.sock");
  installPlugin({ binary: shimPath(), binFolder: options.cniBin, confFolder: options.cniConf, socket });
}

/** A full pool is not reported here: its node would count as broken, and the pods that run there would be evicted. ADD and an Event
 * report it. */
function expectReady(reasons: readonly string[], hasPool: boolean): void {
  if (reasons.length > 0) throw new CniError(CniCode.LIMITED, `This node's agent is not ready: ${reasons.join("; ")}.`);
  if (hasPool) return;
  const message = "No IPPool gives addresses to pods of this node. Next: make one, or look at the Events of IPPools.";
  throw new CniError(CniCode.NOT_AVAILABLE, message);
}

/** The same text on every node, so that one Event reports it. */
function exhaustedPool(name: string): Problem {
  const message =
    "every block of it is a node's, and a node that needed another started no pod. Next: add an IPPool, or look who uses it (inspect ipam).";
  return { kind: "IPPool", name, path: "spec.cidr", message };
}

const END_PODS = "end pods of this node, or set ipam: Pools of Dataplane";

/** Only this node's networks are full. */
function exhaustedNode(name: string, pool: string): Problem {
  const message = `a pod did not start: every address of the IPPool ${pool} in these networks is in use, or in another node's block (ipam HostLocal). Next: ${END_PODS}.`;
  return { kind: "Node", name, path: "spec.podCIDRs", message };
}
