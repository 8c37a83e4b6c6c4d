import { createHash } from "node:crypto";

/** Identifies the stack whose run created an object. */
export const STACK_LABEL = "ebpf-dataplane.io/stack";

/** The label's value for a stack: `project.stack`, or a hash where that is no value of a label. */
export function stackLabelOf(project: string, stack: string): string {
  const value = `${project}.${stack}`;
  if (/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(value)) return value;
  return createHash("sha256").update(value).digest("hex").slice(0, 32);
}
