/** A running program that answers each line of input with lines of output. */
export interface Answering {
  write(text: string): void;
  /** Resolves or rejects when it is over, with the reason. */
  ended: Promise<string>;
}

/** Questions and answers, one question at a time. */
export class Dialogue {
  readonly #program: Answering;
  #hear: (line: string) => void = () => {};

  constructor(program: Answering) {
    this.#program = program;
    program.ended.catch(() => {}); // told where somebody asks
  }

  /** What the program printed. */
  heard(line: string): void {
    this.#hear(line);
  }

  /**
   * Resolves after so many lines. Rejects when the program ended before.
   * @param each is called with every line
   */
  async ask(question: string, answers: number, each: (line: string) => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let left = answers;
    this.#hear = (line) => {
      each(line);
      if (--left === 0) resolve();
    };
    const ended = this.#program.ended.then((why) => {
      throw new Error(why);
    });
    ended.catch(() => {});
    this.#program.write(`${question}\n`);
    try {
      await Promise.race([promise, ended]);
    } finally {
      this.#hear = () => {};
    }
  }
}
