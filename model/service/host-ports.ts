import { Latest, Memo } from "../memo.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import { hasEnded, type Pod } from "../objects/core.ts";
import { objectName } from "../objects/metadata.ts";
import { isPodOf, type PlacedPodName } from "../objects/pod-of.ts";
import type { FrontendRules } from "./frontend-rules.ts";
import { compilePod, hasHostPorts } from "./host-port.ts";
import type { CompiledService } from "./service.ts";

/** Pods, and those of this node that have an interface. */
export interface Placed {
  readonly pods: readonly Pod[];
  readonly endpoints: readonly PlacedPodName[];
}

/** Compiles `hostPort` of this node's pods, from the moment a pod has its interface until that or the pod ends. To other
 * nodes it is a port of this node, to which they route. */
export class HostPortCompiler {
  readonly #result = new Latest<readonly CompiledService[]>();
  readonly #compiled = new Memo<Pod, CompiledService>();
  #last: readonly CompiledService[] = [];

  /** Returns the same object as before if its inputs did not change. */
  compile(objects: Placed, nodes: NodeDirectory, rules: FrontendRules): readonly CompiledService[] {
    return this.#result.get([objects.pods, objects.endpoints, nodes, rules], () => {
      const next = this.#compile(objects, nodes, rules);
      const same = next.length === this.#last.length && next.every((item, index) => item === this.#last[index]);
      if (!same) this.#last = next;
      return this.#last;
    });
  }

  #compile({ pods, endpoints }: Placed, nodes: NodeDirectory, rules: FrontendRules): CompiledService[] {
    const here = new Map(endpoints.map((item) => [`${item.namespace}/${item.pod}`, item]));
    return pods.flatMap((pod) => {
      if (pod.spec.nodeName !== nodes.facts.nodeName || pod.spec.hostNetwork || !hasHostPorts(pod)) return [];
      const endpoint = here.get(objectName(pod));
      if (!endpoint || hasEnded(pod) || !isPodOf(pod, endpoint)) return [];
      return [this.#compiled.get(pod, [endpoint, nodes, rules], () => compilePod(pod, endpoint, nodes, rules))];
    });
  }
}
