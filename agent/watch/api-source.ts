import { KubeConfig } from "@kubernetes/client-node";
import type { KindName } from "../../model/objects/kinds.ts";
import { kindNames } from "../../model/objects/kinds.ts";
import { KubernetesApi } from "./kubernetes-api.ts";
import { ListWatch } from "./list-watch.ts";
import type { Logger } from "./logger.ts";
import type { ObjectSink } from "./snapshot-store.ts";

/** Where objects come from; stopped by aborting the signal it was started with. */
export interface ObjectSource {
  run(sink: ObjectSink, signal: AbortSignal): Promise<void>;
}

/** Client of the API server: by a kubeconfig file, or as a pod, at KUBERNETES_SERVICE_HOST and _PORT with the service
 * account's token. Those two name the server itself, never the service this agent has yet to make work. */
export function connect(kubeconfig?: string): KubernetesApi {
  const config = new KubeConfig();
  if (kubeconfig) config.loadFromFile(kubeconfig);
  else config.loadFromCluster();
  return new KubernetesApi(config);
}

/** Watches every kind at the API server, all at once. */
export class ApiSource implements ObjectSource {
  readonly #api: KubernetesApi;
  readonly #log: Logger;
  readonly #names: readonly KindName[];

  constructor(api: KubernetesApi, log: Logger, names: readonly KindName[] = kindNames) {
    this.#api = api;
    this.#log = log;
    this.#names = names;
  }

  async run(sink: ObjectSink, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#names.map((name) => new ListWatch(this.#api, name, sink, this.#log).run(signal)));
  }
}
