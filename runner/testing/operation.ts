import type { Operation, Progress } from "../operation.ts";

/** A Kubernetes resource of a program. */
export function objectOperation(inputs: Record<string, unknown>, more: Partial<Operation> = {}): Operation {
  const type = `kubernetes:${inputs.apiVersion}:${inputs.kind}`;
  return { type, name: "resource", urn: "", parent: "", inputs, references: {}, provider: "", custom: true, ...more };
}

/** Collects a handler's progress. */
export function recordProgress() {
  const lines: string[] = [];
  const progress: Progress = {
    reportDue: () => true,
    waiting: (status) => lines.push(status),
    line: (text) => lines.push(text),
  };
  return { lines, progress };
}
