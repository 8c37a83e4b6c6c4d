/** Remembers since when a condition has held without interruption. */
export class Lasting {
  readonly #now: () => number;
  #since = new Map<string, number>();

  /** @param now milliseconds that only grow */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes all names for which the condition holds now. @returns those for which it has held for `ms` */
  of(names: readonly string[], ms: number): string[] {
    const now = this.#now();
    this.#since = new Map(names.map((name) => [name, this.#since.get(name) ?? now]));
    return names.filter((name) => now - (this.#since.get(name) ?? now) >= ms);
  }
}
