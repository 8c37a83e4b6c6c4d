/** A problem that the user should know before the deployment. */
export interface Warning {
  /** The object concerned: "Service nginx". */
  about: string;
  /** The problem, in a sentence. */
  what: string;
  /** The next step. */
  next: string;
}
