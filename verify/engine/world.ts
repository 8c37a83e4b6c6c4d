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
}

/** All external dependencies of the engine; the tests have their own. */
export interface World {
  machines: Machine[];
  machine(name: string): Actor;
  node(name: string): NodeActor;
  /** Starts what acts on nodes. Resolves when it runs on all of them, or will not: then its use says why. */
  openNodes(): Promise<void>;
  view(): Promise<ClusterView>;
  objects: Objects;
  /** Lines that the pod's containers logged in the last seconds. */
  log(pod: V1Pod, sinceSeconds: number): Promise<string[]>;
  /** Passed in so that patience can be tested without waiting. */
  clock: Clock;
  /** Notes when and on which cluster the run is. Called before; what it gives is called after. */
  occasion(): Promise<() => Occasion>;
  /** Aborted when the user wants to stop: what was set up is still removed. */
  stopping: AbortSignal;
  /** Says what is being done. */
  progress(message: string): void;
  /** Says what is being waited for; later words replace earlier ones. */
  waiting(message: string): void;
}
