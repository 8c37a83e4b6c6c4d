import type * as pulumi from "@pulumi/pulumi";

/** How a taint is compared. */
export enum TolerationOperator {
  /** It has this value. */
  Equal = "Equal",
  /** It exists, with any value. */
  Exists = "Exists",
}

/** What a taint does to pods that do not tolerate it. */
export enum TaintEffect {
  /** They are not started. */
  NoSchedule = "NoSchedule",
  /** They are started elsewhere where that is possible. */
  PreferNoSchedule = "PreferNoSchedule",
  /** They are not started, and those that run are evicted. */
  NoExecute = "NoExecute",
}

/** Taints of nodes that do not keep agents away. */
export interface Toleration {
  /** The taint's key. Defaults to every key, with `operator` Exists. */
  key?: pulumi.Input<string>;
  /** How it is compared. Defaults to `Equal`. */
  operator?: TolerationOperator;
  /** The taint's value, for `Equal`. Defaults to "". */
  value?: pulumi.Input<string>;
  /** The taint's effect. Defaults to every effect. */
  effect?: TaintEffect;
}

/** How a node's label is compared with values. */
export enum NodeSelectorOperator {
  /** It has one of them. */
  In = "In",
  /** It has none of them, or does not exist. */
  NotIn = "NotIn",
  /** It exists. */
  Exists = "Exists",
  /** It does not exist. */
  DoesNotExist = "DoesNotExist",
  /** It is a greater whole number. */
  Gt = "Gt",
  /** It is a smaller whole number. */
  Lt = "Lt",
}

/** A condition on a node's label. */
export interface NodeSelectorRequirement {
  /** The label's key. */
  key: string;
  /** How its value is compared with `values`. */
  operator: NodeSelectorOperator;
  /** At least one for `In` and `NotIn`, exactly one whole number for `Gt` and `Lt`; absent for the others. */
  values?: pulumi.Input<string>[];
}

/** Nodes that meet all of these conditions. */
export interface NodeSelectorTerm {
  /** At least one. */
  matchExpressions: NodeSelectorRequirement[];
}

/** Nodes that meet at least one of the terms. */
export interface NodeSelectorTerms {
  /** At least one. */
  nodeSelectorTerms: NodeSelectorTerm[];
}

/** Which nodes get agents, by expressions. Preferences are not supported: every node that meets the terms gets an agent. */
export interface NodeAffinity {
  /** The terms for nodes. */
  requiredDuringSchedulingIgnoredDuringExecution: NodeSelectorTerms;
}

/** Where agents run: Kubernetes' affinity, without the parts that would keep agents apart. */
export interface Affinity {
  /** By the nodes' labels. */
  nodeAffinity: NodeAffinity;
}

/** A Secret of the pods' own namespace. */
export interface LocalObjectReference {
  /** Name. */
  name: pulumi.Input<string>;
}

/** Resources of the agent's container. */
export interface ResourceRequirements {
  /** "cpu", "memory" and "ephemeral-storage" that are kept for it. Defaults to 100m and 256Mi. */
  requests?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** The most that the container may use; `memory` at least 256Mi: the agent's heap is 60% of it, at most 1536Mi. Defaults to 2560Mi of
   * memory. */
  limits?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** How agents are replaced node by node. Two agents on one node are not possible, so there is no surge. */
export interface RollingUpdate {
  /** How many nodes at once, or a part of them like "10%". Their pods' connections continue meanwhile. Defaults to 1. */
  // biome-ignore lint/suspicious/noExplicitAny: a number or a text, which the schema for other languages has no other word for
  maxUnavailable?: any;
}

/** How agents are replaced. */
export interface UpdateStrategy {
  /** Node by node. */
  rollingUpdate?: RollingUpdate;
}

/** The agents' DaemonSet and pods, with Kubernetes' field names. */
export interface AgentPods {
  /**
   * Namespace of the agents and of everything that belongs to them. A change replaces all agents: those of the former namespace end first, and connections continue.
   * Kubernetes' own namespaces are refused: agents that are the load balancer write Leases in theirs. Defaults to "ebpf-dataplane".
   */
  namespace?: pulumi.Input<string>;
  /** Whether the namespace is created, with the labels by which it admits privileged pods, and deleted with the dataplane. Defaults to
   * true for the default namespace, and to false for a `namespace` of yours, which must admit them already. */
  createNamespace?: boolean;
  /** Labels of the DaemonSet and its pods, beside "k8s-app". Defaults to none. */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Annotations of the DaemonSet and its pods. Defaults to none. */
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Secrets with which nodes pull the images: of the agents' namespace for agents and kube-proxy, and of kube-system for the pods that
   * look at nodes before a deployment. Defaults to none.
   */
  imagePullSecrets?: pulumi.Input<pulumi.Input<LocalObjectReference>[]>;
  /** Labels of the nodes that get agents, beside "kubernetes.io/os": "linux". Pods on other nodes have no network. Defaults to every Linux node. */
  nodeSelector?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Which of these nodes get agents. Defaults to all. */
  affinity?: Affinity;
  /** Taints that do not keep agents away; never the one of nodes that wait for a network. Defaults to every taint. */
  tolerations?: Toleration[];
  /** Resources of the agent's container. */
  resources?: pulumi.Input<ResourceRequirements>;
  /** How agents are replaced. */
  updateStrategy?: UpdateStrategy;
  /** Priority of the agents' pods. Defaults to "system-node-critical". */
  priorityClassName?: pulumi.Input<string>;
}
