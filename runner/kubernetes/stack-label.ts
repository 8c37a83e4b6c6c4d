import { createHash } from "node:crypto";
import type { Operation } from "../operation.ts";
import { isRetained } from "./definitions.ts";

/** Owner of every field that this runner sets; fields that a later run omits are removed. */
export const FIELD_MANAGER = "ebpf-dataplane-runner";

/** Identifies the stack whose run created an object. */
export const STACK_LABEL = "ebpf-dataplane.io/stack";

/** The label's value for a stack: `project.stack`, or a hash where that is no value of a label. */
export function stackLabelOf(project: string, stack: string): string {
  const value = `${project}.${stack}`;
  if (/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(value)) return value;
  return createHash("sha256").update(value).digest("hex").slice(0, 32);
}

/** The options that keep an object which its program no longer has. */
export const REMOVAL_LABEL = "ebpf-dataplane.io/removal";

/** Stores these options on the object, since there is no state, for the run in which the program no longer has the resource. */
export function removalLabel(operation: Operation): Record<string, string> {
  const kept = operation.protect ? "Protect" : isRetained(operation) ? "Retain" : undefined;
  return kept === undefined ? {} : { [REMOVAL_LABEL]: kept };
}
