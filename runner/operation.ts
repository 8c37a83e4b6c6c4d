import type { Resource } from "../preview/resource.ts";
import type { ResourceOptions } from "./options.ts";

/** One resource that the program registers, with its inputs in clear. */
export interface Operation extends Resource, ResourceOptions {
  custom: boolean;
}

/** A created resource: its outputs are the inputs and `state`. */
export interface Outcome {
  id: string;
  state: Record<string, unknown>;
}

/** Receives a handler's progress. */
export interface Progress {
  /** Whether it is time to report the wait again. */
  reportDue(): boolean;
  /** Reports what the handler waits for, in a few words. */
  waiting(status: string): void;
  /** A line of output. */
  line(text: string): void;
}

/** Creates resources of one kind. Resolves when the resource is usable; rejects with a RunnerFailure. */
export type Handler = (operation: Operation, progress: Progress, signal: AbortSignal) => Promise<Outcome>;
