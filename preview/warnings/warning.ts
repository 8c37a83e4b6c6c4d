/** What a user would want to know before it happens. */
export interface Warning {
  /** What it is about: "Service nginx". */
  about: string;
  /** What is, or will be, the matter, in a sentence. */
  what: string;
  /** What to do. */
  next: string;
}
