import { type FSWatcher, readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { yamlFault } from "../../kubernetes/yaml-fault.ts";
import { kindNames } from "../../model/objects/kinds.ts";
import type { ObjectSource } from "./api-source.ts";
import { kinds } from "./kinds.ts";
import type { Logger } from "./logger.ts";
import type { ObjectSink } from "./snapshot-store.ts";

const typed = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().nullish() }),
});
const listed = z.object({ kind: z.string().endsWith("List"), items: z.array(z.unknown()) });
type Typed = z.infer<typeof typed>;

// SETTLE_MS: changes within this time count as one. RESCAN_MS: changes without a notification are found within this time.
const SETTLE_MS = 20;
const RESCAN_MS = 1_000;

/** Objects from YAML and JSON files of a folder, for machines without an API server. The folder is the complete state: an
 * object in no file does not exist. A file that becomes invalid YAML keeps its last valid objects. */
export class FileSource implements ObjectSource {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #changedSecrets: () => void;
  #secrets = "";
  readonly #files = new Map<string, { text: string; objects: readonly Typed[] }>();

  /** @param changedSecrets called after a change of a Secret; those are no kind of the snapshot */
  constructor(folder: string, log: Logger, changedSecrets = () => {}) {
    this.#folder = folder;
    this.#log = log;
    this.#changedSecrets = changedSecrets;
  }

  /** All that the files hold. */
  get objects(): readonly Typed[] {
    return [...this.#files.values()].flatMap((file) => file.objects);
  }

  async run(sink: ObjectSink, signal: AbortSignal): Promise<void> {
    let wake = () => {};
    const watcher: FSWatcher = watch(this.#folder, { signal }, () => wake());
    watcher.on("error", (error) => this.#log.warn({ folder: this.#folder }, `watching files failed: ${error.message}`));
    for (let first = true; !signal.aborted; first = false) {
      if (this.#scan() || first) this.#publish(sink);
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([woken, sleep(RESCAN_MS, undefined, { signal }).catch(() => undefined)]);
      if (!signal.aborted) await sleep(SETTLE_MS);
    }
  }

  /** Returns whether the content of any file changed. */
  #scan(): boolean {
    const names = readdirSync(this.#folder).filter((name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith("."));
    let changed = false;
    for (const name of [...this.#files.keys()]) {
      if (!names.includes(name)) changed = this.#files.delete(name) || changed;
    }
    for (const name of names) {
      const text = this.#read(name);
      if (text === undefined || text === this.#files.get(name)?.text) continue;
      this.#files.set(name, { text, objects: this.#parse(name, text) ?? this.#files.get(name)?.objects ?? [] });
      changed = true;
    }
    return changed;
  }

  /** Undefined for a file that was removed between listing and reading. */
  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.#folder, name), "utf8");
    } catch {
      return undefined;
    }
  }

  #parse(name: string, text: string): readonly Typed[] | undefined {
    try {
      return parseAllDocuments(text).flatMap((document) => {
        if (document.errors[0]) throw document.errors[0];
        return this.#expand(name, document.toJS());
      });
    } catch (error) {
      const reason = faultOf(error, text);
      this.#log.warn({ file: name }, `${name} is not valid YAML; its last valid objects stay in force: ${reason}`);
      return undefined;
    }
  }

  #expand(name: string, document: unknown): Typed[] {
    if (document === null || document === undefined) return [];
    const many = listed.safeParse(document);
    if (many.success) return many.data.items.flatMap((item) => this.#expand(name, item));
    const one = typed.safeParse(document);
    if (one.success) return [one.data];
    this.#log.warn({ file: name }, `${name}: a document without apiVersion, kind and metadata.name is ignored`);
    return [];
  }

  #publish(sink: ObjectSink): void {
    const { objects } = this;
    for (const name of kindNames) {
      const { apiVersion, kind, namespaced } = kinds[name];
      const ofKind = objects.filter((object) => object.kind === kind && object.apiVersion === apiVersion);
      const list = sink.listing(name);
      for (const object of ofKind) list.put(namespaced ? inNamespace(object) : object);
      list.complete();
    }
    const secrets = JSON.stringify(objects.filter(({ kind }) => kind === "Secret"));
    if (secrets !== this.#secrets) this.#changedSecrets();
    this.#secrets = secrets;
  }
}

/** What is wrong with a text. Messages quote it, so of one that may hold a Secret only the place is told. */
function faultOf(error: unknown, text: string): string {
  if (!/secret/i.test(text)) return error instanceof Error ? error.message : String(error);
  return yamlFault(error);
}

function inNamespace(object: Typed): Typed {
  return { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? "default" } };
}
