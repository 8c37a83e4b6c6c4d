import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ApiRefusal, isRefusal } from "./errors.ts";
import { type ApiRequest, objectOf, type StreamingApi } from "./transport.ts";

/** A kind that is watched. */
export interface WatchedKind {
  /** For messages: "services". */
  readonly name: string;
  /** Where the API server keeps all of it: "/api/v1/services". */
  readonly path: string;
  /** Of a single object: its name. A role may name the objects that are read. */
  readonly only?: string;
  /** Its definition may not be installed: then there are none. */
  readonly optional: boolean;
}

/** Who is kept up to date. */
export interface WatchSink {
  /** A list begins. It counts when it is complete; one that breaks off is forgotten. */
  listing(): ListSink;
  /** An object is new, or has changed. */
  put(object: unknown): void;
  remove(object: unknown): void;
  /** Whether the API server tells of changes. */
  watching(works: boolean): void;
}

/** Receives a list object by object, so that the list is never in memory as a whole, in the form in which the API server sends it. */
export interface ListSink {
  put(object: unknown): void;
  /** These were all: no others exist. */
  complete(): void;
}

/** Where it is said, once, that a watch fails and that it works again. */
export interface WatchLog {
  warn(line: string): void;
  info(line: string): void;
}

const page = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().nullish() }),
  items: z
    .array(z.unknown())
    .nullish()
    .transform((items) => items ?? []),
});
type Page = z.infer<typeof page> & { readonly characters: number };
const event = z.object({
  type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]),
  object: z.looseObject({
    metadata: z.looseObject({ resourceVersion: z.string().nullish() }).nullish(),
    code: z.number().nullish(),
    message: z.string().nullish(),
  }),
});

/** Objects in a page: few in the first, as they may be large, then as many as make so much text, whose reading nobody waits for long. */
const PAGE = { first: 20, most: 500, characters: 1_000_000 };
/** A watch carries a bookmark about every minute, so one that has been silent this long is dead. */
const SILENCE_MS = 150_000;
/** Large objects come one after the other; others have their turn after so long. */
const TURN_MS = 10;
/** A watch lasts minutes; one that ends sooner than this did not work. */
const SHORT_MS = 1_000;
const BACKOFF_MS = { first: 200, longest: 10_000 };
/** A definition that is not installed yet is looked for this often. */
const ABSENT_MS = 3_000;
/** An API server that starts says for a moment that it knows no such kind: only this many answers in a row count. */
const ABSENT_ANSWERS = 3;

/**
 * Keeps the sink up to date with one kind: a complete list, then changes; after a break from where it was, or with a complete list again
 * when the server no longer knows. Never gives up; ends when the signal aborts.
 */
export class ListWatch {
  readonly #api: StreamingApi;
  readonly #kind: WatchedKind;
  readonly #sink: WatchSink;
  readonly #log: WatchLog;
  #version: string | undefined;
  #backoff = BACKOFF_MS.first;
  #absent = 0;
  #short = 0;
  #listed = false;
  #said = "";

  constructor(api: StreamingApi, kind: WatchedKind, sink: WatchSink, log: WatchLog) {
    this.#api = api;
    this.#kind = kind;
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

  get #selection(): { fieldSelector?: string } {
    const { only } = this.#kind;
    return only === undefined ? {} : { fieldSelector: `metadata.name=${only}` };
  }

  #pause(): number {
    return Math.min(BACKOFF_MS.first * 2 ** (this.#short - 1), BACKOFF_MS.longest);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const list = this.#sink.listing();
    const turns = new Turns();
    let next: Promise<Page> | undefined = this.#page(PAGE.first, undefined, signal);
    let version = "";
    while (next) {
      const { characters, metadata, items }: Page = await next;
      version = metadata.resourceVersion;
      const limit = Math.max(1, Math.min(PAGE.most, Math.floor((items.length * PAGE.characters) / characters)));
      // The API server prepares the next page while this one is read.
      next = metadata.continue ? this.#page(limit, metadata.continue, signal) : undefined;
      next?.catch(() => {}); // it is awaited only after this page
      for (const item of items) {
        list.put(item);
        await turns.next();
      }
    }
    list.complete();
    this.#version = version;
    this.#listed = true;
    this.#recovered();
  }

  async #page(limit: number, continued: string | undefined, signal: AbortSignal): Promise<Page> {
    const query = { ...this.#selection, limit: String(limit), ...(continued && { continue: continued }) };
    const request: ApiRequest = { method: "GET", path: this.#kind.path, query, signal };
    const text = await this.#api.send(request);
    return { characters: text.length, ...page.parse(objectOf(this.#api, request, text)) };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    // Without a limit of its own each watch would be renewed at the same moment on every node.
    const seconds = 300 + Math.floor(Math.random() * 300);
    const query = {
      ...this.#selection,
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: this.#version ?? "",
      timeoutSeconds: String(seconds),
    };
    const { path } = this.#kind;
    const pieces = await this.#api.stream({ method: "GET", path, query, signal, silenceMs: SILENCE_MS });
    let rest = "";
    const turns = new Turns();
    for await (const piece of pieces) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line) this.#take(line);
        await turns.next();
      }
    }
  }

  #take(line: string): void {
    const { type, object } = event.parse(JSON.parse(line));
    if (type === "ERROR") throw new ApiRefusal(object.code ?? 500, "", object.message ?? "the watch failed");
    if (type === "DELETED") this.#sink.remove(object);
    else if (type !== "BOOKMARK") this.#sink.put(object);
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    this.#recovered();
  }

  #recovered(): void {
    this.#sink.watching(true);
    if (this.#said) this.#log.info(`watching ${this.#kind.name} works again`);
    this.#said = "";
    this.#backoff = BACKOFF_MS.first;
    this.#absent = 0;
  }

  /** How long to wait after this error; what is known stays as it is. */
  #delay(error: unknown): number {
    if (isRefusal(error, 410)) {
      this.#version = undefined; // the server forgot what came after: list again
      return 0;
    }
    if (isRefusal(error, 404) && this.#kind.optional) return this.#isAbsent();
    this.#sink.watching(false);
    const wait = this.#backoff;
    this.#backoff = Math.min(wait * 2, BACKOFF_MS.longest);
    const message = error instanceof Error ? error.message : String(error);
    // One outage is one line, however often it is tried again.
    const line = `watching ${this.#kind.name} failed: ${message}; tried again until it works`;
    if (line !== this.#said) this.#log.warn(line);
    this.#said = line;
    return Math.max(wait, error instanceof ApiRefusal ? Math.min(error.retryAfterMs ?? 0, BACKOFF_MS.longest) : 0);
  }

  #isAbsent(): number {
    this.#version = undefined;
    this.#absent++;
    if (!this.#listed || this.#absent >= ABSENT_ANSWERS) this.#sink.listing().complete();
    return ABSENT_MS;
  }
}

/** Lets others have their turn. */
class Turns {
  #since = performance.now();

  async next(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
