/** A failure to report to the user: what was attempted and where, why it failed, what to do next. Shown without a stack trace. */
export class LabFailure extends Error {
  override readonly name = "LabFailure";
  readonly next: string | undefined;
  /** 2: the user's input is wrong; 1: everything else. */
  readonly exitCode: 1 | 2;

  constructor(message: string, { next, exitCode = 1 }: { next?: string; exitCode?: 1 | 2 } = {}) {
    super(message);
    this.next = next;
    this.exitCode = exitCode;
  }
}
