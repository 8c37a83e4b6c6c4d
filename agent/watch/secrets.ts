import { z } from "zod";
import { AGENT } from "../../components/dataplane/names.ts";
import type { StreamingApi } from "../../kubernetes/transport.ts";
import { ListWatch, type WatchSink } from "../../kubernetes/watch.ts";
import { ownNamespace } from "../own-namespace.ts";

/** What a key of a Secret in the agents' namespace holds. "unknown yet": an answer is on its way. */
export type SecretValue =
  | { readonly text: string }
  | { readonly fault: string; readonly field: "name" | "key" }
  | "unknown yet";

/** Secrets that objects name. Only these are read, and nothing of them is logged, kept in a file or shown. */
export interface Secrets {
  /** Follows these from now on, and no others. */
  follow(names: ReadonlySet<string>): void;
  valueOf(name: string, key: string): SecretValue;
}

const secret = z.object({
  metadata: z.object({ name: z.string() }),
  data: z.record(z.string(), z.string()).nullish(),
  // Only in files: the API server turns it into data.
  stringData: z.record(z.string(), z.string()).nullish(),
});
type Secret = z.output<typeof secret>;

function valueIn(found: Secret | undefined, name: string, key: string): SecretValue {
  if (!found) return { field: "name", fault: `there is no Secret ${name} in the namespace ${ownNamespace()}` };
  const [written, encoded] = [ownValue(found.stringData, key), ownValue(found.data, key)];
  const text = written ?? (encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString());
  return text === undefined
    ? { field: "key", fault: `the Secret ${name} in ${ownNamespace()} has no key ${key}` }
    : { text };
}

function ownValue(values: Secret["data"], key: string): string | undefined {
  return values && Object.hasOwn(values, key) ? values[key] : undefined;
}

interface Followed {
  readonly stop: AbortController;
  listed: boolean;
  found: Secret | undefined;
  /** Why it cannot be read, while that is so. */
  failure: string;
}

/** Secrets at the API server: a watch of each, so that a Role which names them is enough. */
export class ApiSecrets implements Secrets {
  readonly #api: StreamingApi;
  readonly #changed: () => void;
  readonly #followed = new Map<string, Followed>();

  constructor(api: StreamingApi, changed: () => void) {
    this.#api = api;
    this.#changed = changed;
  }

  follow(names: ReadonlySet<string>): void {
    for (const [name, { stop }] of this.#followed) {
      if (names.has(name)) continue;
      stop.abort();
      this.#followed.delete(name);
    }
    for (const name of names) if (!this.#followed.has(name)) this.#watch(name);
  }

  valueOf(name: string, key: string): SecretValue {
    const known = this.#followed.get(name);
    if (known?.failure && !known.found) return { field: "name", fault: known.failure };
    return known?.listed ? valueIn(known.found, name, key) : "unknown yet";
  }

  #watch(name: string): void {
    const known: Followed = { stop: new AbortController(), listed: false, found: undefined, failure: "" };
    this.#followed.set(name, known);
    const set = (next: Partial<Followed>) => {
      Object.assign(known, next);
      if (!known.stop.signal.aborted) this.#changed();
    };
    const sink: WatchSink = {
      listing: () => {
        let found: Secret | undefined;
        return {
          put: (object) => {
            found = secret.parse(object);
          },
          complete: () => set({ found, listed: true, failure: "" }),
        };
      },
      put: (object) => set({ found: secret.parse(object) }),
      remove: () => set({ found: undefined }),
      watching: (works) => works && known.failure && set({ failure: "" }),
    };
    const path = `/api/v1/namespaces/${ownNamespace()}/secrets`;
    const log = {
      warn: (line: string) =>
        set({
          failure: `the Secret ${name} cannot be read (${line}). Next: a Role in the namespace ${ownNamespace()} lets the ServiceAccount ${AGENT} list and watch it`,
        }),
      info: () => undefined,
    };
    const kind = { name: "secrets", path, only: name, optional: false };
    void new ListWatch(this.#api, kind, sink, log).run(known.stop.signal);
  }
}

/** Secrets in files, for machines without an API server. */
export class FileSecrets implements Secrets {
  readonly #objects: () => readonly unknown[];

  /** @param objects all that the files hold now */
  constructor(objects: () => readonly unknown[]) {
    this.#objects = objects;
  }

  follow(): void {}

  valueOf(name: string, key: string): SecretValue {
    const found = this.#objects().find((object) => {
      const { kind, apiVersion, metadata } = object as { kind?: string; apiVersion?: string; metadata?: Named };
      const isMeant = kind === "Secret" && apiVersion === "v1" && metadata?.name === name;
      return isMeant && metadata.namespace === ownNamespace();
    });
    const { data, error } = secret.optional().safeParse(found);
    const [issue] = error?.issues ?? [];
    if (!issue) return valueIn(data, name, key);
    return { field: "name", fault: `the Secret ${name} cannot be read (${issue.path.join(".")}: ${issue.message})` };
  }
}

interface Named {
  readonly name: string;
  readonly namespace?: string;
}
