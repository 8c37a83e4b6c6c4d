import { createObject } from "../../kubernetes/create.ts";
import { isRefusal } from "../../kubernetes/errors.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { fewOfEach } from "../../model/few-of-each.ts";
import { hash32 } from "../../model/hash.ts";
import type { Problem } from "../../model/problem.ts";
import type { Logger } from "./logger.ts";
import type { ObjectReference } from "./object-cache.ts";

/** Reports each problem twice: when it appears and when it is gone. */
export class ProblemReporter {
  readonly #log: Logger;
  readonly #publish: ((problem: Problem) => void) | undefined;
  #known = new Map<string, Problem>();

  /** `publish` shows a new problem outside the log too. */
  constructor(log: Logger, publish?: (problem: Problem) => void) {
    this.#log = log;
    this.#publish = publish;
  }

  /** Takes all current problems. */
  report(problems: readonly Problem[]): void {
    const now = new Map(fewOfEach(problems).map((problem) => [problemText(problem), problem]));
    for (const [text, problem] of now) {
      if (this.#known.has(text)) continue;
      this.#log.warn({ ...problem }, text);
      this.#publish?.(problem);
    }
    for (const [text, problem] of this.#known) {
      if (!now.has(text)) this.#log.info({ ...problem }, `no longer: ${text}`);
    }
    this.#known = now;
  }
}

/** "Service default/dns, spec.ports[1].protocol: SCTP is not supported …" */
export function problemText({ kind, group, namespace, name, path, message }: Problem): string {
  return `${group === undefined ? kind : `${kind}.${group}`} ${namespace ? `${namespace}/` : ""}${name}, ${path}: ${message}`;
}

/** Publishes problems as Events of their objects. Every node finds the same problem: the Event's name is derived from its
 * content, so that the first node creates it and the others find it. */
export function eventPublisher(
  api: Api,
  reference: (problem: Problem) => ObjectReference | undefined,
  log: Logger,
): (problem: Problem) => void {
  return (problem) => {
    const object = reference(problem);
    if (!object) return;
    const namespace = object.namespace ?? "default";
    const now = new Date().toISOString();
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { namespace, name: `${object.name}.${hash32(problemText(problem)).toString(16)}` },
      involvedObject: { ...object, fieldPath: problem.path },
      type: "Warning",
      reason: "NotInForce",
      message: `${problem.path}: ${problem.message}`.slice(0, 1024),
      source: { component: "ebpf-dataplane" },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    createObject(api, `/api/v1/namespaces/${namespace}/events`, event).catch((error: unknown) => {
      if (isRefusal(error, 409)) return;
      log.warn(
        { object },
        `Cannot create an Event about the problem: ${error instanceof Error ? error.message : error}`,
      );
    });
  };
}
