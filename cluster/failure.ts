/** A failure to tell a person about: what was waited for, and what to do next. */
export class ClusterFailure extends Error {
  override readonly name = "ClusterFailure";
  readonly next: string;

  constructor(message: string, next: string, cause?: unknown) {
    super(message, { cause });
    this.next = next;
  }
}
