import * as pulumi from "@pulumi/pulumi";
import { refuse } from "../components/refusal/refusal.ts";
import { nearest } from "../components/refusal/suggestion.ts";

const NAMESPACE = "ebpf-dataplane";

/**
 * The settings of a stack (Pulumi.STACK.yaml, `pulumi config set`, `--config`), restricted to these keys. Any other key is refused: a
 * misspelt one would silently leave its default.
 */
export class Settings<Key extends string> extends pulumi.Config {
  constructor(keys: readonly Key[]) {
    super(NAMESPACE);
    for (const key of Object.keys(pulumi.runtime.allConfig())) refuseUnknown(key, ["program", ...keys]);
  }

  // Only a declared key can be read.
  override get<Value extends string = string>(key: Key): Value | undefined {
    return super.get(key) as Value | undefined;
  }
  override getSecret<Value extends string = string>(key: Key): pulumi.Output<Value> | undefined {
    return super.getSecret(key) as pulumi.Output<Value> | undefined;
  }
  override getNumber(key: Key): number | undefined {
    const text = super.get(key);
    if (text === undefined) return undefined;
    const number = text.trim() === "" ? Number.NaN : Number(text);
    return Number.isFinite(number) ? number : this.refuse(key, text, "a number");
  }
  override getBoolean(key: Key): boolean | undefined {
    const text = super.get(key);
    if (text === undefined) return undefined;
    return text === "true" || (text === "false" ? false : this.refuse(key, text, "true or false"));
  }
  override getObject<Value>(key: Key): Value | undefined {
    const text = super.get(key);
    return text === undefined ? undefined : this.read<Value>(key, text, "JSON, or YAML in the stack's file");
  }
  getList<Item>(key: Key): Item[] | undefined {
    const text = super.get(key);
    if (text === undefined) return undefined;
    const allowed = "a list, like [A, B] in YAML or the same as JSON";
    const list = this.read<Item[]>(key, text, allowed);
    return Array.isArray(list) ? list : this.refuse(key, list, allowed);
  }
  /** A whole number from 1; undefined if it is not set. */
  getCount(key: Key, most: number): number | undefined {
    const text = super.get(key);
    if (text === undefined) return undefined;
    const count = /^\d{1,9}$/.test(text.trim()) ? Number(text) : 0;
    return count >= 1 && count <= most ? count : this.refuse(key, text, `a whole number from 1 to ${most}`);
  }
  private read<Value>(key: Key, text: string, allowed: string): Value {
    try {
      return JSON.parse(text) as Value;
    } catch {
      return this.refuse(key, text, allowed);
    }
  }
  /** Refuses a setting, or a part of one (`path`). */
  refuse(key: Key, received: unknown, allowed: string, path = ""): never {
    refuse({ component: `Stack "${pulumi.getStack()}"`, path: `${NAMESPACE}:${key}${path}` }, received, allowed);
  }
  override require<Value extends string = string>(key: Key): Value {
    return super.require(key) as Value;
  }
  override requireObject<Value>(key: Key): Value {
    super.require(key);
    return this.getObject<Value>(key) as Value;
  }
}

function refuseUnknown(key: string, known: string[]): void {
  const colon = key.indexOf(":");
  const [namespace, name] = [key.slice(0, colon), key.slice(colon + 1)];
  if (namespace === NAMESPACE && known.includes(name)) return;
  // Other namespaces belong to other packages, unless they look like a misspelling of ours.
  if (namespace !== NAMESPACE && !nearest(namespace, [NAMESPACE])) return;
  const meant = nearest(name, known);
  throw new pulumi.RunError(
    `Stack "${pulumi.getStack()}": unknown setting "${key}"${meant ? `; did you mean "${NAMESPACE}:${meant}"?` : ""} (allowed: ${known.join(", ")}).`,
  );
}
