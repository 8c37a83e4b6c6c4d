import * as pulumi from "@pulumi/pulumi";
import { type AgentPods, TaintEffect, TolerationOperator } from "./agent-pods-args.ts";
import { OPERATING_SYSTEM } from "./names.ts";

type Texts = Record<string, pulumi.Input<string>>;

const LINUX = Object.fromEntries([OPERATING_SYSTEM]);

/** Nodes have it until they have a network, which they get from agents; the DaemonSet's controller tolerates the same taint with NoExecute only. */
const WITHOUT_NETWORK = {
  key: "node.kubernetes.io/not-ready",
  operator: TolerationOperator.Exists,
  effect: TaintEffect.NoSchedule,
};

/** The nodes on which pods of agents, and of a kube-proxy beside them, run, and how these nodes get the images. */
export function podPlacement({
  nodeSelector,
  affinity,
  tolerations,
  imagePullSecrets,
  priorityClassName = "system-node-critical",
}: AgentPods) {
  return {
    priorityClassName,
    nodeSelector: withOwn(nodeSelector, LINUX),
    ...(affinity && { affinity }),
    tolerations: tolerations ? [...tolerations, WITHOUT_NETWORK] : [{ operator: "Exists" }],
    ...(imagePullSecrets && { imagePullSecrets }),
  };
}

/** The user's labels or annotations with the dataplane's own. */
export function withOwn(given: pulumi.Input<Texts> | undefined, own: Texts): pulumi.Input<Texts> {
  if (given === undefined) return own;
  return pulumi.all([given, own]).apply(([theirs, ours]) => ({ ...theirs, ...ours }));
}
