import { plainKubeconfig } from "../../kubernetes/plain-kubeconfig.ts";
import { serviceAccount } from "../../kubernetes/service-account.ts";
import { ApiServer, type StreamingApi } from "../../kubernetes/transport.ts";
import { ListWatch, type WatchedKind, type WatchLog, type WatchSink } from "../../kubernetes/watch.ts";
import { type KindName, kindNames, resourcePath } from "../../model/objects/kinds.ts";
import { kinds } from "./kinds.ts";
import type { Logger } from "./logger.ts";
import type { ObjectSink } from "./snapshot-store.ts";

/** A source of objects; stopped by aborting the signal it was started with. */
export interface ObjectSource {
  run(sink: ObjectSink, signal: AbortSignal): Promise<void>;
}

/** A complete list may take long on a busy server. */
const ANSWER_MS = 60_000;

/** Client of the API server: by a kubeconfig file, or as a pod, at KUBERNETES_SERVICE_HOST and _PORT with the service
 * account's token. These variables must name the server itself, never the Service, which works only once this agent runs. */
export function connect(kubeconfig?: string, answerMs = ANSWER_MS): StreamingApi {
  return new ApiServer(kubeconfig ? plainKubeconfig(kubeconfig) : serviceAccount(), answerMs);
}

/** Watches every kind at the API server, all at once. */
export class ApiSource implements ObjectSource {
  readonly #api: StreamingApi;
  readonly #log: Logger;
  readonly #names: readonly KindName[];

  constructor(api: StreamingApi, log: Logger, names: readonly KindName[] = kindNames) {
    this.#api = api;
    this.#log = log;
    this.#names = names;
  }

  async run(sink: ObjectSink, signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#names.map((name) =>
        new ListWatch(this.#api, watched(name), sinkOf(name, sink), this.#logOf(name)).run(signal),
      ),
    );
  }

  #logOf(name: KindName): WatchLog {
    const fields = { kind: kinds[name].kind };
    return { warn: (line) => this.#log.warn(fields, line), info: (line) => this.#log.info(fields, line) };
  }
}

function watched(name: KindName): WatchedKind {
  return { name, path: resourcePath(kinds[name]), optional: kinds[name].optional };
}

function sinkOf(name: KindName, sink: ObjectSink): WatchSink {
  return {
    listing: () => sink.listing(name),
    put: (object) => sink.put(name, object),
    remove: (object) => sink.remove(name, object),
    watching: (works) => sink.watching(name, works),
  };
}
