import type { StreamingApi } from "../../kubernetes/transport.ts";
import { ListWatch, type WatchLog, type WatchSink } from "../../kubernetes/watch.ts";
import { leasesPath, seenLease } from "./leases.ts";
import type { Ownership, SeenLease } from "./ownership.ts";

/** Between two attempts. Meanwhile this node takes over no key, and an owner that has lost its keys does not know that. */
const PAUSE_MS = 500;

/** Reports every change of a Lease to `ownership` as soon as the API server reports it. */
export class LeaseWatch {
  readonly #api: StreamingApi;
  readonly #path: string;
  readonly #ownership: Ownership;
  readonly #changed: () => void;
  readonly #log: WatchLog;
  #current = new AbortController();
  #said = "";

  constructor(api: StreamingApi, namespace: string, ownership: Ownership, changed: () => void, log: WatchLog) {
    this.#api = api;
    this.#path = leasesPath(namespace);
    this.#ownership = ownership;
    this.#changed = changed;
    this.#log = log;
  }

  /** Runs until the process ends. */
  async run(): Promise<never> {
    const kind = { name: "leases", path: this.#path, optional: false };
    for (;;) {
      this.#current = new AbortController();
      const log = { warn: (line: string) => this.#warn(line), info: () => undefined };
      await new ListWatch(this.#api, kind, this.#sink(), log).run(this.#current.signal);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** The known Leases may be out of date: a watch can lose its connection without an error. A complete list follows. */
  restart(): void {
    this.#ownership.blind();
    this.#current.abort();
  }

  #sink(): WatchSink {
    const told = (tell: () => void) => {
      tell();
      this.#changed();
    };
    return {
      listing: () => {
        const all: SeenLease[] = [];
        return {
          put: (object) => void all.push(seenLease(object)),
          complete: () => {
            if (this.#said) this.#log.info("watching leases works again");
            this.#said = "";
            told(() => this.#ownership.see(all, performance.now()));
          },
        };
      },
      put: (object) => told(() => this.#ownership.seeOne(seenLease(object), performance.now())),
      remove: (object) => {
        const { name, version } = seenLease(object);
        told(() => this.#ownership.gone(name, version));
      },
      watching: (works) => {
        if (!works) this.restart();
      },
    };
  }

  // One outage is one log line, although each attempt is a watch of its own.
  #warn(line: string): void {
    if (line !== this.#said) this.#log.warn(line);
    this.#said = line;
  }
}
