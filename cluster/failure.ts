/** A failure for the user: what was attempted, and the next step. */
export class ClusterFailure extends Error {
  override readonly name = "ClusterFailure";
  readonly next: string;

  constructor(message: string, next: string, cause?: unknown) {
    super(message, { cause });
    this.next = next;
  }
}
