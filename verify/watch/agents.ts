// Streams the events of each node from the agents of a cluster.

import type { V1Pod } from "@kubernetes/client-node";
import { KubernetesError, withNext } from "../../kubernetes/errors.ts";
import { type Container, execInPod } from "../../kubernetes/exec.ts";
import { apiServerOf, type Kubeconfig } from "../../kubernetes/kubeconfig.ts";
import type { ApiServer } from "../../kubernetes/transport.ts";
import { failureLine } from "../actors/actor.ts";
import { answerOf } from "../answer.ts";
import { agentOn, type ClusterView, readView } from "../cluster/view.ts";
import { LabAtWork, meansLab, type NamedCluster, NoCluster, namedKubeconfig } from "../connect.ts";
import { type ReachedLab, reachLab } from "../lab.ts";
import { type Ask, type AskedNode, askNodes } from "./ask-nodes.ts";

/** In its container. */
export const AGENT_PROGRAM = ["node", "/opt/ebpf-dataplane/agent.js"];

/** Of an agent's pod. */
export function agentContainer({ metadata }: V1Pod): Container {
  return { namespace: metadata?.namespace ?? "", name: metadata?.name ?? "", container: "agent" };
}

export interface ClusterOptions extends NamedCluster {
  /** Name of the local lab whose machines may be named. */
  lab: string;
}

export interface Reached extends ReachedLab {
  api: ApiServer<Kubeconfig>;
  view: ClusterView;
  /** Whether the cluster is the lab's own. */
  isLabs: boolean;
}

/** @throws NoCluster */
export async function reachCluster(options: ClusterOptions): Promise<Reached> {
  const { lab, programs } = await reachLab(options.lab);
  const api = apiServerOf(namedKubeconfig(options, lab, false));
  const isLabs = meansLab(options) && lab.kubeconfig !== undefined;
  const view = await readView(api).catch((error) => {
    if (isLabs && lab.worker)
      throw new LabAtWork(`${(error as Error).message}, and ${lab.worker} works on lab ${lab.name}`);
    throw new NoCluster(error instanceof KubernetesError ? withNext(error) : (error as Error).message);
  });
  return { api, view, lab, programs, isLabs };
}

export interface Telling {
  node: string;
  /** Ends it. Output after this time is not awaited: a second by default. */
  stop(patienceMs?: number): void;
  /** Resolves when it was ended; rejects with a message if it exited by itself. */
  ended: Promise<void>;
  /** If it was ended: why the rest of its output is missing, if it is. */
  untold?: () => string | undefined;
}

export function noAgent({ api, lab, isLabs }: Pick<Reached, "api" | "lab" | "isLabs">): NoCluster {
  if (isLabs && lab.worker)
    return new LabAtWork(`no agent of this dataplane runs in lab ${lab.name} yet, and ${lab.worker} works on it`);
  const next = isLabs
    ? "`make up` deploys it; if one is at work, wait: the command `status --wait` does"
    : "is it the right one (--kubeconfig, --context)?";
  const where = isLabs ? `lab ${lab.name}` : `the cluster ${api.server}`;
  return new NoCluster(`no agent of this dataplane runs in ${where}. Next: ${next}`);
}

/** Runs `inspect …` on every node to its end, and passes on what the agents say. @throws NoCluster if there is no agent at all */
export async function askEachNode(
  reached: Pick<Reached, "api" | "view" | "lab" | "isLabs">,
  words: string[],
  hear: (record: unknown, node: string) => void,
): Promise<AskedNode[]> {
  const { nodes, ask } = askingNodes(reached, words);
  return askNodes(nodes, ask, hear);
}

/** The nodes, and how each is asked. @throws NoCluster if there is no agent at all */
export function askingNodes(
  reached: Pick<Reached, "api" | "view" | "lab" | "isLabs">,
  words: string[],
): { nodes: string[]; ask: Ask } {
  const { api, view } = reached;
  const nodes = view.nodes.map(({ metadata }) => metadata?.name ?? "");
  if (!nodes.some((node) => agentOn(view, node))) throw noAgent(reached);
  const ask: Ask = async (node, line) => {
    const pod = agentOn(view, node);
    if (!pod) throw new Error("no agent of the dataplane runs there");
    return inspectNode(api, node, pod, words, line);
  };
  return { nodes, ask };
}

/** Runs `inspect …` on one node. @throws KubernetesError if its agent's pod cannot be reached */
export async function inspectNode(
  api: ApiServer<Kubeconfig>,
  node: string,
  pod: V1Pod,
  words: string[],
  line: (record: unknown) => void,
): Promise<Telling> {
  const command = [...AGENT_PROGRAM, "inspect", ...words, "--json", "--while-input"];
  let stopping = false;
  let untold: string | undefined;
  const running = await execInPod(api, agentContainer(pod), command, (text) => line(answerOf(text)));
  const ended = running.ended.then(
    ({ code, stderr }) => {
      if (code === 0) return;
      untold = failureLine(stderr, `ended with ${code}`);
      if (!stopping) throw new Error(`node ${node}: ${untold}`);
    },
    (error) => {
      untold = (error as Error).message;
      if (!stopping) throw new Error(`node ${node}: ${untold}`);
    },
  );
  ended.catch(() => {}); // handled where it is awaited
  const stop = (patienceMs = 1000) => {
    stopping = true;
    running.write("\n"); // ends the command; closing the connection alone would leave it running on the node
    setTimeout(() => running.abort(), patienceMs).unref();
  };
  return { node, stop, ended, untold: () => untold };
}
