// A resource whose object now has another name or namespace: with deleteBeforeReplace the former object is deleted first.
import { createHash } from "node:crypto";
import type { ApiObject } from "../../kubernetes/object.ts";
import { RunnerFailure } from "../failure.ts";
import type { Operation } from "../operation.ts";
import { say } from "../terminal.ts";
import type { Cluster } from "./apply.ts";
import { type Leftover, leftoversAt, remove } from "./prune.ts";
import { STACK_LABEL } from "./stack-label.ts";
import { idOf } from "./wire-object.ts";

/** The resource of the program that made an object; set only on objects that must not exist twice. */
const RESOURCE_LABEL = "ebpf-dataplane.io/resource";

/** Milliseconds that the deletion of the former object may take, unless customTimeouts sets another value. */
const GONE_MS = 5 * 60_000;

/** The label of an object of this resource. */
export function resourceLabel({ deleteBeforeReplace, urn }: Operation): Record<string, string> {
  if (!deleteBeforeReplace) return {};
  return { [RESOURCE_LABEL]: createHash("sha256").update(urn).digest("hex").slice(0, 32) };
}

/** Deletes the object that the resource made under another name or in another namespace, and waits until it is gone. */
export async function removeFormer(
  cluster: Cluster,
  path: string,
  object: ApiObject,
  operation: Operation,
  stackLabel: string,
): Promise<void> {
  const label = resourceLabel(operation)[RESOURCE_LABEL];
  if (label === undefined) return;
  // The path of all objects of the kind, from the object's path.
  const [, group = "", plural = ""] = /^(.*?)(?:\/namespaces\/[^/]+)?\/([^/]+)\/[^/]+$/.exec(path) ?? [];
  const kind = { kind: object.kind ?? "", name: plural, namespaced: path.includes("/namespaces/"), groupPath: group };
  const labels = `${STACK_LABEL}=${stackLabel},${RESOURCE_LABEL}=${label}`;
  const former = (await leftoversAt(cluster, kind, labels)).filter((one: Leftover) => one.path !== path);
  for (const leftover of former) {
    const name = `${leftover.kind} ${leftover.name}`;
    if (leftover.removal === "Protect") throw new RunnerFailure(`replaces ${name}, which is protected`);
    say(`  ${name} goes first: ${idOf(object)} takes its place`);
    // The option forbids that both exist at the same time.
    const left = await remove(cluster, leftover, operation.deleteTimeout ?? GONE_MS);
    if (left)
      throw new RunnerFailure(`${name} goes first, and is still there: something holds it (see metadata.finalizers)`);
  }
}
