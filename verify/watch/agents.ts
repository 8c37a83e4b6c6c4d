// Streams the events of each node from the agents of a cluster.

import type { V1Pod } from "@kubernetes/client-node";
import { KubernetesError, withNext } from "../../kubernetes/errors.ts";
import { type Container, execInPod } from "../../kubernetes/exec.ts";
import { apiServerOf, type Kubeconfig } from "../../kubernetes/kubeconfig.ts";
import type { ApiServer } from "../../kubernetes/transport.ts";
import { failureLine } from "../actors/actor.ts";
import { answerOf } from "../answer.ts";
import { agentOn, type ClusterView, readView } from "../cluster/view.ts";
import { type NamedCluster, NoCluster, namedKubeconfig } from "../connect.ts";
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
}

/** @throws NoCluster */
export async function reachCluster(options: ClusterOptions): Promise<Reached> {
  const { lab, programs } = await reachLab(options.lab);
  const api = apiServerOf(namedKubeconfig(options, lab, false));
  const view = await readView(api).catch((error) => {
    throw new NoCluster(error instanceof KubernetesError ? withNext(error) : (error as Error).message);
  });
  return { api, view, lab, programs };
}

export interface Telling {
  node: string;
  /** Ends it, and what it has not said after this time is not waited for: a second, if nothing else is said. */
  stop(patienceMs?: number): void;
  /** Resolves when it was ended; rejects with a message if it exited by itself. */
  ended: Promise<void>;
}

export function noAgent({ server }: Pick<Reached["api"], "server">): NoCluster {
  return new NoCluster(
    `no agent of this dataplane runs in the cluster ${server}. Next: is it the right one (--kubeconfig, --context)?`,
  );
}

/** Runs `inspect …` on each node that has an agent, and passes on its JSON lines. */
export async function inspectEachNode(
  { api, view }: Pick<Reached, "api" | "view">,
  words: string[],
  line: (record: unknown, node: string) => void,
): Promise<Telling[]> {
  const nodes = view.nodes.map(({ metadata }) => metadata?.name ?? "");
  const agents = nodes.flatMap((node) => {
    const pod = agentOn(view, node);
    return pod ? [{ node, pod }] : [];
  });
  if (agents.length === 0) throw noAgent(api);
  return Promise.all(agents.map(({ node, pod }) => inspectNode(api, node, pod, words, (record) => line(record, node))));
}

/** Runs `inspect …` on every node to its end, and passes on what the agents say. @throws NoCluster if there is no agent at all */
export async function askEachNode(
  { api, view }: Pick<Reached, "api" | "view">,
  words: string[],
  hear: (record: unknown, node: string) => void,
): Promise<AskedNode[]> {
  const nodes = view.nodes.map(({ metadata }) => metadata?.name ?? "");
  if (!nodes.some((node) => agentOn(view, node))) throw noAgent(api);
  const ask: Ask = async (node, line) => {
    const pod = agentOn(view, node);
    if (!pod) throw new Error("no agent of the dataplane runs there");
    return inspectNode(api, node, pod, words, line);
  };
  return askNodes(nodes, ask, hear);
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
  const running = await execInPod(api, agentContainer(pod), command, (text) => line(answerOf(text)));
  const ended = running.ended.then(
    ({ code, stderr }) => {
      if (code !== 0 && !stopping) throw new Error(`node ${node}: ${failureLine(stderr, `ended with ${code}`)}`);
    },
    (error) => {
      if (!stopping) throw new Error(`node ${node}: ${(error as Error).message}`);
    },
  );
  ended.catch(() => {}); // handled where it is awaited
  const stop = (patienceMs = 1000) => {
    stopping = true;
    running.write("\n"); // ends the command; closing the connection alone would leave it running on the node
    setTimeout(() => running.abort(), patienceMs).unref();
  };
  return { node, stop, ended };
}
