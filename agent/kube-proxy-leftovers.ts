import { isKubeProxyOn } from "../components/dataplane/kube-proxy-pod.ts";
import type { DesiredState } from "./compile/desired.ts";
import type { DataplaneParts } from "./dataplane.ts";
import { removeKubeProxyRules } from "./network/kube-proxy-rules.ts";
import { ownNamespace } from "./own-namespace.ts";

interface Parts extends Pick<DataplaneParts, "log"> {
  readonly options: Pick<DataplaneParts["options"], "node">;
  readonly cluster: { readonly store: Pick<DataplaneParts["cluster"]["store"], "list"> };
}

/** Rules that a kube-proxy left on this node: they are looked for when services become the dataplane's, and when the machine is looked at. A look
 * costs a process, so it is not for each pod that comes or goes. */
export class KubeProxyLeftovers {
  readonly #parts: Parts;
  /** What was to be done with them when they were looked for last. */
  #lookedFor: DesiredState["kubeProxy"] | undefined;
  readonly #remove: typeof removeKubeProxyRules;

  constructor(parts: Parts, remove = removeKubeProxyRules) {
    this.#parts = parts;
    this.#remove = remove;
  }

  lookAgain(): void {
    this.#lookedFor = undefined;
  }

  async follow(kubeProxy: DesiredState["kubeProxy"]): Promise<void> {
    if (kubeProxy === this.#lookedFor) return;
    this.#lookedFor = kubeProxy; // a look again that comes meanwhile counts
    try {
      if (kubeProxy === "remove-rules" && (await this.#remove(() => this.#hasPod())))
        this.#parts.log.info("removed the rules that a kube-proxy left on this node");
    } catch (error) {
      this.#lookedFor = undefined;
      throw error;
    }
  }

  // Also a pod that is terminating, or whose image is still being pulled: its rules must not be removed.
  #hasPod(): boolean {
    const { cluster, options } = this.#parts;
    const namespace = ownNamespace();
    return cluster.store.list("pods").some((pod) => isKubeProxyOn(options.node, namespace, pod));
  }
}
