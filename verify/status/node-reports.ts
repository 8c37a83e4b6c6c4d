import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { type NodeStatus, nodeStatusSchema } from "../../agent/observe/status/node-status.ts";
import { AGENT } from "../../components/dataplane/names.ts";
import type { Kubeconfig } from "../../kubernetes/kubeconfig.ts";
import { troubleOf } from "../../kubernetes/pod-trouble.ts";
import type { ApiServer } from "../../kubernetes/transport.ts";
import { agentsOn, type ClusterView } from "../cluster/view.ts";
import { inspectNode } from "../watch/agents.ts";
import type { NodeReport } from "./cluster-status.ts";
import { nodeProblems } from "./node-problems.ts";

const ANSWER_MS = 20_000;

/** Asks an agent for its status. @throws Error with the agent's message, or the reason why it cannot be reached */
export type AskStatus = (node: string, pod: V1Pod) => Promise<NodeStatus>;

/** The state of each node, in the order of their names. A node that cannot be asked has a report all the same. */
export function nodeReports(view: ClusterView, ask: AskStatus): Promise<NodeReport[]> {
  const nodes = view.nodes.map((object) => [object.metadata?.name ?? "", object] as const);
  return Promise.all(
    nodes
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([node, object]) => {
        const own = agentsOn(view, node);
        const pod = own.find(({ metadata }) => !metadata?.deletionTimestamp) ?? own[0];
        return pod ? withAgent(node, object, pod, ask) : { node, problems: [withoutAgent(node, view.agentNamespace)] };
      }),
  );
}

function withoutAgent(node: string, namespace: string): string {
  return (
    `no agent is there: pods have no network of this dataplane. Next: kubectl -n ${namespace} describe daemonset ${AGENT} ` +
    `(does it select the node, and does it tolerate its taints?), kubectl describe node ${node}.`
  );
}

async function withAgent(node: string, object: V1Node, pod: V1Pod, ask: AskStatus): Promise<NodeReport> {
  const { name = "", namespace = AGENT } = pod.metadata ?? {};
  const image = pod.spec?.containers.find((one) => one.name === "agent")?.image;
  const report = { node, ...(image && { image }) };
  const ready = object.status?.conditions?.find(({ type }) => type === "Ready");
  const silent =
    ready && ready.status !== "True" ? [`Kubernetes says that the node is not ready: ${ready.message}`] : [];
  try {
    if (pod.status?.phase !== "Running") throw new Error(pod.status?.phase ?? "not started");
    const status = await ask(node, pod);
    return { ...report, problems: [...silent, ...nodeProblems(status, `-n ${namespace} logs ${name}`)], status };
  } catch (error) {
    const [trouble] = isRunning(pod) ? [] : troubleOf(AGENT, asStatus(pod), undefined);
    return {
      ...report,
      problems: [
        ...silent,
        `${trouble ?? `its agent does not answer: ${(error as Error).message}`}. Next: kubectl -n ${namespace} logs ${name}.`,
      ],
    };
  }
}

const isRunning = ({ status }: V1Pod) =>
  status?.phase === "Running" &&
  (status.containerStatuses ?? []).every(({ state }) => !state?.waiting && !state?.terminated);

/** The client's own types say more than is asked. */
const asStatus = (pod: V1Pod) => pod as unknown as Parameters<typeof troubleOf>[1];

/** Asks through the API server, and does not wait for a node that is silent. */
export function asking(api: ApiServer<Kubeconfig>): AskStatus {
  return async (node, pod) => {
    let answer: unknown;
    const asked = await inspectNode(api, node, pod, ["status"], (record) => {
      answer = record;
    });
    const late = setTimeout(() => asked.stop(), ANSWER_MS);
    await asked.ended.finally(() => clearTimeout(late));
    if (answer === undefined) throw new Error(`no answer within ${ANSWER_MS / 1000} s`);
    return nodeStatusSchema.parse(answer);
  };
}
