/** One resource that the program registers, with its inputs in clear. */
export interface Operation {
  /** Type token, e.g. `kubernetes:apps/v1:DaemonSet`. */
  type: string;
  /** Name in the program. */
  name: string;
  urn: string;
  /** URN of the parent; empty below the stack. */
  parent: string;
  /** Inputs; unknown ones are absent in a preview. */
  inputs: Record<string, unknown>;
  /** `urn::id` of an explicit provider. */
  provider: string;
  custom: boolean;
  /** Milliseconds the program grants; absent: the handler's own limit. */
  timeout?: number;
}

/** What a resource became: its outputs are the inputs and `state`. */
export interface Outcome {
  id: string;
  state: Record<string, unknown>;
}

/** Where a handler tells how far it is. */
export interface Progress {
  /** Whether it is time again to tell what is being waited for. */
  reportDue(): boolean;
  /** What is being waited for, in a few words. */
  waiting(status: string): void;
  /** A line of output. */
  line(text: string): void;
}

/** Makes one kind of resource real. Resolves when it is usable; rejects with a RunnerFailure. */
export type Handler = (operation: Operation, progress: Progress, signal: AbortSignal) => Promise<Outcome>;

/** The name for people: an object's kind and name, or the resource's own. */
export function title({ type, name, inputs }: Operation): string {
  const kind = type.split(":").at(-1) ?? type;
  const metadata = inputs.metadata as { name?: string; namespace?: string } | undefined;
  if (!type.startsWith("kubernetes:") || metadata?.name === undefined) return `${kind} ${name}`;
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ""}${metadata.name}`;
}
