import { KubernetesError, UnusableKubeconfig } from "../kubernetes/errors.ts";

/** The parts of a failure besides its message. */
type Explained = Pick<RunnerFailure, "next" | "where" | "exitCode">;

/** A failure for the user: what was attempted, why it failed, the next step. Shown without a stack trace. */
export class RunnerFailure extends Error {
  override readonly name = "RunnerFailure";
  readonly next: string | undefined;
  /** The place in the user's program or settings, as FILE:LINE:COLUMN. */
  readonly where: string | undefined;
  /** 2: the user's input is wrong; 130: the user stopped it; 1: everything else. */
  readonly exitCode: 1 | 2 | 130;

  constructor(message: string, { next, where, exitCode = 1 }: Partial<Explained> = {}) {
    super(message);
    this.next = next;
    this.where = where;
    this.exitCode = exitCode;
  }
}

/** The user stopped the run. */
export class Interrupted extends RunnerFailure {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`, { next: "run the same command again to continue, or `make down`", exitCode: 130 });
    this.signal = signal;
  }
}

/** The next step, the place and the exit code for anything that was thrown. */
export function failureOf(error: unknown): Explained {
  if (error instanceof RunnerFailure) return error;
  if (error instanceof KubernetesError)
    return { next: error.next, where: undefined, exitCode: error instanceof UnusableKubeconfig ? 2 : 1 };
  return { next: undefined, where: undefined, exitCode: 1 };
}

/** The SDK adds one such prefix for each input that contains the failed output. */
const SDK_PREFIX = /^(error serializing property "[^"]*": )+/;

/** Node names all modules on the way to one that is missing, with those of this runner. */
const REQUIRE_STACK = /\nRequire stack:\n.*$/s;

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(SDK_PREFIX, "").replace(REQUIRE_STACK, "");
}
