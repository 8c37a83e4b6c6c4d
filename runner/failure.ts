/** A failure to tell a person about: what was attempted, why it failed, what to do next. Shown without a stack. */
export class RunnerFailure extends Error {
  override readonly name = "RunnerFailure";
  readonly next: string | undefined;
  /** 2: the user's input is wrong; 1: everything else. */
  readonly exitCode: 1 | 2;

  constructor(message: string, { next, exitCode = 1 }: { next?: string; exitCode?: 1 | 2 } = {}) {
    super(message);
    this.next = next;
    this.exitCode = exitCode;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
