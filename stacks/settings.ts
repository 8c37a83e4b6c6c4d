import * as pulumi from "@pulumi/pulumi";
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
    return super.getNumber(key);
  }
  override getBoolean(key: Key): boolean | undefined {
    return super.getBoolean(key);
  }
  override getObject<Value>(key: Key): Value | undefined {
    return super.getObject<Value>(key);
  }
  override require<Value extends string = string>(key: Key): Value {
    return super.require(key) as Value;
  }
  override requireObject<Value>(key: Key): Value {
    return super.requireObject<Value>(key);
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
