import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { KindName } from "../../model/objects/kinds.ts";
import { resourcePath } from "../../model/objects/kinds.ts";
import { kinds } from "./kinds.ts";
import { type KubernetesApi, KubernetesError } from "./kubernetes-api.ts";
import type { Logger } from "./logger.ts";
import type { ObjectSink } from "./snapshot-store.ts";

const page = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().nullish() }),
  items: z
    .array(z.unknown())
    .nullish()
    .transform((items) => items ?? []),
});
const event = z.object({
  type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]),
  object: z.looseObject({
    metadata: z.looseObject({ resourceVersion: z.string().nullish() }).nullish(),
    code: z.number().nullish(),
    message: z.string().nullish(),
  }),
});

const PAGE_SIZE = "500";
/** A watch lasts minutes; one that ends sooner than this did not work. */
const SHORT_MS = 1_000;
const BACKOFF_MS = { first: 200, longest: 10_000 };
/** A definition that is not installed yet is looked for this often. */
const ABSENT_MS = 3_000;
/** An API server that starts says for a moment that it knows no such kind: only this many answers in a row count. */
const ABSENT_ANSWERS = 3;

/** Keeps the sink up to date with one kind: a complete list, then changes; after a break from where it was, or with a
 * complete list again when the server no longer knows. Ends when the signal aborts. */
export class ListWatch {
  readonly #api: KubernetesApi;
  readonly #name: KindName;
  readonly #sink: ObjectSink;
  readonly #log: Logger;
  #version: string | undefined;
  #backoff = BACKOFF_MS.first;
  #absent = 0;
  #short = 0;
  #listed = false;
  #said = "";

  constructor(api: KubernetesApi, name: KindName, sink: ObjectSink, log: Logger) {
    this.#api = api;
    this.#name = name;
    this.#sink = sink;
    this.#log = log;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list(signal);
        const started = performance.now();
        await this.#follow(signal);
        // A server, or what stands before it, that ends every watch at once must not be asked without a pause.
        this.#short = performance.now() - started < SHORT_MS ? this.#short + 1 : 0;
        if (this.#short > 0) await sleep(this.#pause(), undefined, { signal }).catch(() => undefined);
      } catch (error) {
        if (signal.aborted) return;
        await sleep(this.#delay(error), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #pause(): number {
    return Math.min(BACKOFF_MS.first * 2 ** (this.#short - 1), BACKOFF_MS.longest);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const items: unknown[] = [];
    let continued: string | undefined;
    let version: string;
    do {
      const query = { limit: PAGE_SIZE, ...(continued && { continue: continued }) };
      const answer = page.parse(await this.#api.get(resourcePath(kinds[this.#name]), query, signal));
      items.push(...answer.items);
      version = answer.metadata.resourceVersion;
      continued = answer.metadata.continue || undefined;
    } while (continued);
    this.#sink.replace(this.#name, items);
    this.#version = version;
    this.#listed = true;
    this.#recovered();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    // Without a limit of its own each watch would be renewed at the same moment on every node.
    const seconds = 300 + Math.floor(Math.random() * 300);
    const query = {
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: this.#version ?? "",
      timeoutSeconds: String(seconds),
    };
    await this.#api.stream(resourcePath(kinds[this.#name]), query, (line) => this.#take(line), signal);
  }

  #take(line: string): void {
    const { type, object } = event.parse(JSON.parse(line));
    if (type === "ERROR") throw new KubernetesError(object.code ?? 500, object.message ?? "the watch failed");
    if (type === "DELETED") this.#sink.remove(this.#name, object);
    else if (type !== "BOOKMARK") this.#sink.put(this.#name, object);
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    this.#recovered();
  }

  #recovered(): void {
    this.#sink.watching(this.#name, true);
    if (this.#said) this.#log.info({ kind: kinds[this.#name].kind }, `watching ${this.#name} works again`);
    this.#said = "";
    this.#backoff = BACKOFF_MS.first;
    this.#absent = 0;
  }

  /** How long to wait after this error; what is known stays as it is. */
  #delay(error: unknown): number {
    const status = error instanceof KubernetesError ? error.status : 0;
    if (status === 410) {
      this.#version = undefined; // the server forgot what came after: list again
      return 0;
    }
    if (status === 404 && kinds[this.#name].optional) return this.#isAbsent();
    this.#sink.watching(this.#name, false);
    const wait = this.#backoff;
    this.#backoff = Math.min(wait * 2, BACKOFF_MS.longest);
    const message = error instanceof Error ? error.message : String(error);
    // One outage is one line, however often it is tried again.
    const line = `watching ${this.#name} failed: ${message}; tried again until it works`;
    if (line !== this.#said) this.#log.warn({ kind: kinds[this.#name].kind }, line);
    this.#said = line;
    return wait;
  }

  #isAbsent(): number {
    this.#version = undefined;
    this.#absent++;
    if (!this.#listed || this.#absent >= ABSENT_ANSWERS) this.#sink.replace(this.#name, []);
    return ABSENT_MS;
  }
}
