import type { V1Pod } from "@kubernetes/client-node";
import { execInPod } from "../../kubernetes/exec.ts";
import type { Kubeconfig } from "../../kubernetes/kubeconfig.ts";
import type { ApiServer } from "../../kubernetes/transport.ts";
import type { PodSockets, SocketState } from "../../probe/sockets.ts";
import { failureLine, type NodeActor } from "../actors/actor.ts";
import { startCapture } from "../actors/capture.ts";
import { startKeeper } from "../actors/keeper.ts";
import { serverCommand, startServer } from "../actors/listen.ts";
import { prepareProber } from "../actors/prober.ts";
import { PROBER_CONTAINER } from "./daemon-set.ts";

/** Reading a few files, on a busy computer. */
const socketsMs = 30_000;

const program = ["node", "/opt/ebpf-dataplane/probe.js"];

/**
 * A node, accessed through a prober's pod there, which sees the node's network namespace and those of its pods.
 * @param find returns the pod; rejects with a message when it does not run
 */
export function nodeActor(api: ApiServer<Kubeconfig>, node: string, find: () => Promise<V1Pod>): NodeActor {
  const where = `node ${node}`;
  const run = async (words: string[], onLine: (line: string) => void) => {
    const { metadata } = await find();
    const container = { namespace: metadata?.namespace ?? "", name: metadata?.name ?? "", container: PROBER_CONTAINER };
    return execInPod(api, container, [...program, ...words], onLine);
  };
  return {
    prepare: (batch) => prepareProber(where, batch, (onLine) => run(["probe", "--wait"], onLine)),
    sockets: async (pods) => {
      const found = new Map<string, SocketState[]>();
      const running = await run(["probe-sockets", ...pods], (line) => {
        const { pod, sockets } = JSON.parse(line) as PodSockets;
        found.set(pod, sockets);
      });
      const deadline = setTimeout(() => running.abort(), socketsMs);
      const { code, stderr } = await running.ended.finally(() => clearTimeout(deadline));
      if (code !== 0) throw new Error(`${where}: ${failureLine(stderr, "its pods' sockets are not known")}`);
      return found;
    },
    keep: () => startKeeper(where, (onLine) => run(["probe", "--session"], onLine)),
    listen: (ports, name) => startServer(where, (onLine) => run(serverCommand(ports, name), onLine)),
    capture: (filter, inPod) =>
      startCapture(where, (onLine) => run(["capture", ...(inPod ? ["--pod", inPod] : []), filter], onLine)),
  };
}
