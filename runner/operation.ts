import type { Resource } from "../preview/resource.ts";

/** One resource that the program registers, with its inputs in clear. */
export interface Operation extends Resource {
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
