import type { V1Pod } from "@kubernetes/client-node";
import type { Clock } from "../../kubernetes/patience.ts";
import type { Occasion } from "../../report/results/occasion.ts";
import type { Actor, NodeActor } from "../actors/actor.ts";
import type { Objects } from "../cluster/objects.ts";
import type { ClusterView } from "../cluster/view.ts";

/** A machine that can be named in a check, by its own name. */
export interface Machine {
  name: string;
  address: string;
  addressIpv6?: string | undefined;
}

/** All external dependencies of the engine; the tests have their own. */
export interface World {
  machines: Machine[];
  machine(name: string): Actor;
  node(name: string): NodeActor;
  /** Starts the probers on nodes. Resolves when all run, or when one cannot: using that one then throws the reason. */
  openNodes(): Promise<void>;
  view(): Promise<ClusterView>;
  objects: Objects;
  /** Lines that the pod's containers logged in the last seconds. */
  log(pod: V1Pod, sinceSeconds: number): Promise<string[]>;
  /** Passed in so that timeouts can be tested without waiting. */
  clock: Clock;
  /** Records the time and the cluster of the run. Called before it; the returned function is called after it. */
  occasion(): Promise<() => Occasion>;
  /** Aborted when the user wants to stop: what was set up is still removed. */
  stopping: AbortSignal;
  /** Reports the current operation. */
  progress(message: string): void;
  /** Reports what is being waited for; each text replaces the previous one. */
  waiting(message: string): void;
}
