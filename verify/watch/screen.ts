/** The whole terminal, redrawn in place; the previous content is restored at the end. */
export class Screen {
  readonly #out: NodeJS.WriteStream;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    out.write("\x1b[?1049h\x1b[?25l\x1b[?7l"); // the other buffer, no cursor, no wrapped lines whatever is in them
  }

  get size(): { width: number; height: number } {
    return { width: this.#out.columns || 80, height: this.#out.rows || 24 };
  }

  draw(lines: readonly string[]): void {
    const rows = lines.map((line) => `${line}\x1b[0m\x1b[K`).join("\r\n");
    this.#out.write(`\x1b[H${rows}\x1b[J`);
  }

  close(): void {
    this.#out.write("\x1b[?7h\x1b[?25h\x1b[?1049l");
  }
}
