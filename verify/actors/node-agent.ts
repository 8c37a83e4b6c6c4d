import type { V1Pod } from "@kubernetes/client-node";
import type { AttemptResult } from "../../agent/probe/batch.ts";
import type { CapturedReply } from "../../agent/probe/capture.ts";
import type { ApiServer } from "../cluster/api-server.ts";
import { execInPod } from "../cluster/exec.ts";
import { type Capture, failureLine, longestBatchMs, type NodeActor } from "./actor.ts";

const program = ["node", "/opt/ebpf-dataplane/agent.js"];
const captureStartMs = 15_000;
/** A packet that has left takes this long, at most, to be printed. */
const captureSettleMs = 250;

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
    capture: (filter) => startCapture(api, container, filter),
  };
}

async function startCapture(
  api: ApiServer,
  container: { namespace: string; name: string; container: string },
  filter: string,
): Promise<Capture> {
  const replies: CapturedReply[] = [];
  let listening = (): void => {};
  const started = new Promise<void>((resolve) => {
    listening = resolve;
  });
  const running = await execInPod(api, container, [...program, "capture", filter], (line) => {
    const said = JSON.parse(line) as CapturedReply | { listening: true };
    if ("listening" in said) listening();
    else replies.push(said);
  });
  const late = setTimeout(() => running.abort(), captureStartMs);
  const early = running.ended.then(({ stderr }) => {
    throw new Error(`capture on ${container.name} ended at once: ${failureLine(stderr, "it said nothing")}`);
  });
  await Promise.race([started, early]).finally(() => clearTimeout(late));
  early.catch(() => {});
  return {
    stop: async () => {
      await new Promise((resolve) => setTimeout(resolve, captureSettleMs));
      running.write("\n");
      const deadline = setTimeout(() => running.abort(), captureStartMs);
      await running.ended.finally(() => clearTimeout(deadline));
      return replies;
    },
  };
}
