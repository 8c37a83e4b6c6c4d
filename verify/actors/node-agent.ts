import type { V1Pod } from "@kubernetes/client-node";
import type { PodSockets, SocketState } from "../../agent/probe/sockets.ts";
import { execInPod } from "../../kubernetes/exec.ts";
import type { Kubeconfig } from "../../kubernetes/kubeconfig.ts";
import type { ApiServer } from "../../kubernetes/transport.ts";
import { failureLine, type NodeActor } from "./actor.ts";
import { startCapture } from "./capture.ts";
import { prepareProber } from "./prober.ts";

/** Reading a few files, on a busy computer. */
const socketsMs = 30_000;

const program = ["node", "/opt/ebpf-dataplane/agent.js"];

/** A node, acted on through the agent's pod there: it sees the node's network namespace and those of its pods. */
export function nodeAgent(api: ApiServer<Kubeconfig>, pod: V1Pod): NodeActor {
  const container = { namespace: pod.metadata?.namespace ?? "", name: pod.metadata?.name ?? "", container: "agent" };
  return {
    prepare: (batch) =>
      prepareProber(`agent ${container.name}`, batch, (onLine) =>
        execInPod(api, container, [...program, "probe", "--wait"], onLine),
      ),
    sockets: async (pods) => {
      const found = new Map<string, SocketState[]>();
      const running = await execInPod(api, container, [...program, "probe-sockets", ...pods], (line) => {
        const { pod, sockets } = JSON.parse(line) as PodSockets;
        found.set(pod, sockets);
      });
      const deadline = setTimeout(() => running.abort(), socketsMs);
      const { code, stderr } = await running.ended.finally(() => clearTimeout(deadline));
      if (code !== 0)
        throw new Error(`agent ${container.name}: ${failureLine(stderr, "its pods' sockets are not known")}`);
      return found;
    },
    capture: (filter, inPod) => {
      const command = [...program, "capture", ...(inPod ? ["--pod", inPod] : []), filter];
      return startCapture(container.name, (onLine) => execInPod(api, container, command, onLine));
    },
  };
}
