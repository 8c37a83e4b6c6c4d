// Silence caused by the server's own program: the request arrived, but the program had no CPU to answer. This shows nothing about
// the dataplane, whatever was expected.
import type { V1Pod } from "@kubernetes/client-node";
import type { AttemptResult } from "../../probe/batch.ts";
import type { PodReference } from "../../probe/namespaces.ts";
import type { SocketState } from "../../probe/sockets.ts";
import { stalledMs } from "../../probe/stall.ts";
import { type ClusterView, podName, referenceOf } from "../cluster/view.ts";
import { podsOf } from "./behind.ts";
import type { Plan } from "./plan.ts";
import type { World } from "./world.ts";

/** Why pods could not answer in a round, in words, by NAMESPACE/NAME. */
export type IdleServers = Map<string, string>;

/** A server that stalled for less has answered within the time that probes wait. */
const leastStallMs = 1000;

/** Whether a silence may be the program's: its kernel opens connections and acknowledges requests also without it. */
export function isPrograms({ destination }: Plan, { verdict, opened, acknowledged, unsent }: AttemptResult): boolean {
  const reached = destination.protocol === "udp" || (opened === true && acknowledged !== false);
  return verdict === "dropped" && !unsent && reached;
}

/**
 * Checks the kernels of the silent pods for unread data, and the pods' logs for a probe server's report that it had no CPU.
 * @param sinceMs when the round began, by the world's clock
 */
export async function idleServers(
  world: World,
  view: ClusterView,
  asked: { plan: Plan; result: AttemptResult }[],
  sinceMs: number,
): Promise<IdleServers> {
  const silent = asked.filter(({ plan, result }) => isPrograms(plan, result));
  const pods = new Set(silent.flatMap(({ plan, result }) => podsOf(view, plan, result)));
  const found: IdleServers = new Map();
  // A pod that cannot be queried may not be idle: its silence counts.
  await Promise.all([
    ...byNode([...pods]).map(async ([node, references]) => {
      const sockets = await world
        .node(node)
        .sockets(references)
        .catch(() => undefined);
      for (const [name, held] of sockets ?? []) {
        const words = waiting(held);
        if (words) found.set(name, `pod ${name} has ${words}: its program gets no CPU, or hangs`);
      }
    }),
    ...[...pods].map(async (pod) => {
      const seconds = (world.clock.now() - sinceMs) / 1000;
      const lines = await world.log(pod, seconds).catch(() => []);
      const stalled = lines.reduce((sum, line) => sum + stalledMs(line), 0);
      if (stalled >= leastStallMs)
        found.set(
          podName(pod),
          `pod ${podName(pod)} had no CPU for ${stalled} ms of the last ${Math.round(seconds)} s`,
        );
    }),
  ]);
  return found;
}

/** Pods with their own network namespace, by node: a node's sockets also belong to other programs. */
function byNode(pods: V1Pod[]): [node: string, pods: PodReference[]][] {
  const nodes = new Map<string, PodReference[]>();
  for (const pod of pods) {
    const { nodeName, hostNetwork } = pod.spec ?? {};
    if (nodeName && !hostNetwork) nodes.set(nodeName, [...(nodes.get(nodeName) ?? []), referenceOf(pod)]);
  }
  return [...nodes];
}

function waiting(sockets: SocketState[]): string | undefined {
  const unread = sockets.filter(({ unread }) => unread > 0);
  if (unread.some(({ listening }) => listening)) return "connections that it has not accepted";
  if (unread.some(({ protocol }) => protocol === "udp")) return "datagrams that it has not read";
  return unread.length > 0 ? "requests that it has not read" : undefined;
}
