import { connect } from "node:net";

// BIRD's control socket, which birdc(8) also uses: a request is one line, and the answer has lines that begin with a number of four digits.
// A space after the number ends the answer; a line that begins with a space has the number of the line before.

export interface Answer {
  /** 0: done, 1-2: information, 8: not possible, 9: not understood; by the first digit. */
  readonly code: number;
  /** Without their numbers. */
  readonly lines: readonly string[];
}

const PATIENCE_MS = 5_000;
/** A table of sessions is far shorter. */
const MOST_BYTES = 1 << 22;

/** Asks the daemon. Rejects if it does not run, or does not answer. */
export function askBird(socket: string, question: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    let text = "";
    let greeted = false;
    const fail = (reason: string) => {
      connection.destroy();
      reject(new Error(`BIRD does not answer "${question}": ${reason}`));
    };
    connection.setTimeout(PATIENCE_MS, () => fail(`nothing for ${PATIENCE_MS / 1000} s`));
    connection.on("error", ({ message }) => fail(message));
    connection.on("close", () => fail("it closed the connection"));
    connection.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.length > MOST_BYTES) return fail("its answer is too long");
      if (!greeted) {
        const end = text.indexOf("\n");
        if (end < 0) return;
        greeted = true;
        text = text.slice(end + 1);
        connection.write(`${question}\n`);
      }
      const answer = answerIn(text);
      if (!answer) return;
      resolve(answer);
      connection.destroy();
    });
  });
}

/** Undefined while the answer is not complete. */
export function answerIn(text: string): Answer | undefined {
  const lines: string[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const [, digits, mark, rest = ""] = /^(\d{4})([ -])(.*)$/.exec(line) ?? [];
    if (mark === undefined) lines.push(line.slice(1));
    else if (rest.trim() !== "") lines.push(rest);
    if (mark === " ") return { code: Number(digits), lines };
  }
  return undefined;
}
