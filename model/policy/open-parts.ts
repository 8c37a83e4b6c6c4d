/** The parts of a list that are not taken yet. A search skips those that are taken. */
export class OpenParts {
  /** For each part: the part itself while it is open, otherwise a later one. */
  readonly #next: number[];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.#next = Array.from({ length: count + 1 }, (_, index) => index);
  }

  get isEmpty(): boolean {
    return this.#firstFrom(0) === this.#count;
  }

  has(index: number): boolean {
    return this.#next[index] === index;
  }

  /** The open parts from `from` to before `to`, which are taken by that. */
  *take(from: number, to: number): Iterable<number> {
    for (let index = this.#firstFrom(from); index < to; index = this.#firstFrom(index)) {
      this.#next[index] = index + 1;
      yield index;
    }
  }

  #firstFrom(index: number): number {
    const next = this.#next;
    let root = index;
    while (next[root] !== root) root = next[root] as number;
    for (let step = index; step !== root; ) [next[step], step] = [root, next[step] as number];
    return root;
  }
}
