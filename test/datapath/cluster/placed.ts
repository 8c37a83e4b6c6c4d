import type { NodeName } from "./objects.ts";

/** A pod of a bare cluster: a network namespace on one of its nodes, wired by the agent's CNI plugin. */
export interface Placed {
  readonly name: string;
  /** Absent: "default". */
  readonly namespace?: string | undefined;
  readonly serviceAccount?: string | undefined;
  readonly node: NodeName;
  readonly labels: Record<string, string>;
  readonly annotations?: Record<string, string> | undefined;
  /** Empty while it has none. */
  readonly address: string;
  /** Absent in a cluster of one family. */
  readonly addressIpv6?: string | undefined;
  /** The container's ports; absent: only port 80, with the name "web". */
  readonly ports?: readonly ContainerPort[] | undefined;
}

/** The name of a pod's network namespace; pods of the namespace "default" have their own names. */
export const networkOf = ({ name, namespace = "default" }: Pick<Placed, "name" | "namespace">): string =>
  namespace === "default" ? name : `${namespace}.${name}`;

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly hostPort?: number;
  readonly hostIP?: string;
}
