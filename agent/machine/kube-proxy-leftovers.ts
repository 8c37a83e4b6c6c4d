import { isKubeProxyOn } from "../../components/dataplane/kube-proxy-pod.ts";
import type { DesiredState } from "../compile/desired.ts";
import { removeKubeProxyRules } from "../network/kube-proxy-rules.ts";
import type { Logger } from "../observe/log.ts";
import type { AgentOptions } from "../options.ts";
import { ownNamespace } from "../own-namespace.ts";
import type { SnapshotStore } from "../watch/snapshot-store.ts";

interface Parts {
  readonly options: Pick<AgentOptions, "node">;
  readonly cluster: { readonly store: Pick<SnapshotStore, "list"> };
  readonly log: Pick<Logger, "info">;
}

/** Removes rules that a kube-proxy left on this node. It looks for them when the dataplane takes services over, and when the machine is
 * checked. A look costs a process, so there is none when only pods come or go. */
export class KubeProxyLeftovers {
  readonly #parts: Parts;
  /** The role of kube-proxy at the last look. */
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
