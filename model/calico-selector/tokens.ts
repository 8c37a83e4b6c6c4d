import type { Comparison } from "./expression.ts";

/** A symbol or a word of the language, a label's name or a text in quotes; `at`: its first character, counted from 0. */
export type Token = { readonly at: number } & (
  | { readonly kind: Symbol | Comparison | "in" | "not in" | "all" | "global" | "end" }
  | { readonly kind: "label" | "text" | "has"; readonly value: string }
);
type Symbol = "(" | ")" | "{" | "}" | "," | "!" | "&&" | "||";

/** Why a text is no selector. */
export class SelectorFault extends Error {
  /** Of the character, counted from 1. */
  readonly column: number;

  constructor(at: number, message: string) {
    super(`column ${at + 1}: ${message}`);
    this.column = at + 1;
  }
}

const SPACE = /[ \t]*/y;
const NAME = /[A-Za-z0-9_./-]+/y;
const SYMBOL = /\(|\)|\{|\}|,|==|!=|!|&&|\|\|/y;
const CALL = /(?:has|all|global)\(/y;
/** Of operators; they may stand together ("notin"), and are other words if a character of names follows. */
const WORDS = /(?:contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in)(?![A-Za-z0-9_./-])/y;
const OPERATORS = ["contains", "starts with", "ends with", "not in", "in"] as const;
const MOST_OF_NAME = 512;
/** Operators of other languages that people write by mistake. */
const MEANT = [
  [/^=/, "=="],
  [/^(?:&|and\b)/i, "&&"],
  [/^(?:\||or\b)/i, "||"],
  [/^not\b/i, "!"],
] as const;

/** Cuts a text into tokens, the last of which is the end. Throws a SelectorFault. Spaces and tabs separate them; line breaks do not. */
export function tokensOf(text: string): readonly Token[] {
  return new Lexer(text).tokens();
}

class Lexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  tokens(): readonly Token[] {
    const tokens: Token[] = [];
    for (;;) {
      this.#take(SPACE);
      if (this.#at >= this.#text.length) break;
      tokens.push(this.#next(this.#at, tokens.at(-1)?.kind));
    }
    tokens.push({ kind: "end", at: this.#at });
    return tokens;
  }

  #next(at: number, before: Token["kind"] | undefined): Token {
    const first = this.#text[at];
    if (first === '"' || first === "'") return { kind: "text", value: this.#quoted(first), at };
    const symbol = this.#take(SYMBOL);
    if (symbol) return { kind: symbol as Symbol | "==" | "!=", at };
    if (before === "label") return { kind: this.#operator(), at };
    if (before === "text" || before === "}" || before === ")") this.#refuse("expected &&, || or the end");
    const call = this.#take(CALL);
    if (!call) return { kind: "label", value: this.#name("a label's name"), at };
    return this.#called(call.slice(0, -1) as "has" | "all" | "global", at);
  }

  #quoted(quote: string): string {
    const from = this.#at + 1;
    const end = this.#text.indexOf(quote, from);
    if (end < 0) this.#refuse(`the text that begins with ${quote} has no end`);
    this.#at = end + 1;
    return this.#text.slice(from, end);
  }

  #operator(): (typeof OPERATORS)[number] {
    const word = this.#take(WORDS)?.replace(/[ \t]/g, "");
    const found = OPERATORS.find((operator) => operator.replace(" ", "") === word);
    return found ?? this.#refuse(`expected an operator after a label: ==, !=, ${OPERATORS.join(", ")}`);
  }

  #called(word: "has" | "all" | "global", at: number): Token {
    this.#take(SPACE);
    const value = word === "has" ? this.#name("a label's name") : "";
    this.#take(SPACE);
    if (this.#text[this.#at] !== ")") this.#refuse(`expected ")" after ${word}(${value}`);
    this.#at++;
    return word === "has" ? { kind: word, value, at } : { kind: word, at };
  }

  #name(expected: string): string {
    const name = this.#take(NAME);
    if (!name) return this.#refuse(`expected ${expected}`);
    if (name.length > MOST_OF_NAME) {
      this.#at -= name.length;
      this.#refuse(`a label's name of ${name.length} characters; allowed are ${MOST_OF_NAME}`);
    }
    return name;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #refuse(message: string): never {
    const rest = this.#text.slice(this.#at, this.#at + 8);
    const meant = MEANT.find(([words]) => words.test(rest))?.[1];
    const newline = /^[\r\n]/.test(rest) ? "; a selector is one line" : "";
    throw new SelectorFault(this.#at, `${message}${meant ? `; did you mean ${meant}?` : newline}`);
  }
}
