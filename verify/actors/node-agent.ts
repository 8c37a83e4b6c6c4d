import type { V1Pod } from "@kubernetes/client-node";
import type { AttemptResult } from "../../agent/probe/batch.ts";
import type { ApiServer } from "../cluster/api-server.ts";
import { execInPod } from "../cluster/exec.ts";
import { failureLine, longestBatchMs, type NodeActor } from "./actor.ts";
import { startCapture } from "./capture.ts";

const program = ["node", "/opt/ebpf-dataplane/agent.js"];

/** A node, acted on through the agent's pod there: it sees the node's network namespace and those of its pods. */
export function nodeAgent(api: ApiServer, pod: V1Pod): NodeActor {
  const container = { namespace: pod.metadata?.namespace ?? "", name: pod.metadata?.name ?? "", container: "agent" };
  return {
    probe: async (batch) => {
      const results: AttemptResult[] = [];
      const running = await execInPod(api, container, [...program, "probe"], (line) => results.push(JSON.parse(line)));
      running.write(`${JSON.stringify(batch)}\n`);
      const deadline = setTimeout(() => running.abort(), longestBatchMs(batch));
      const { code, stderr } = await running.ended.finally(() => clearTimeout(deadline));
      if (code !== 0)
        throw new Error(`agent ${container.name}: ${failureLine(stderr, `the prober ended with code ${code}`)}`);
      return results;
    },
    capture: (filter, inPod) => {
      const command = [...program, "capture", ...(inPod ? ["--pod", inPod] : []), filter];
      return startCapture(container.name, (onLine) => execInPod(api, container, command, onLine));
    },
  };
}
