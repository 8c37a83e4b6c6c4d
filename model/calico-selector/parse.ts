import type { Expression } from "./expression.ts";
import { SelectorFault, type Token, tokensOf } from "./tokens.ts";

/** The most nested parentheses; more do not fit in the 1,024 characters that Calico gives a selector. */
const DEEPEST = 512;

/** A selector, or what is wrong with its text: "column 14: expected a value in quotes". */
export type Parsed = { readonly expression: Expression; readonly fault?: never } | { readonly fault: string };

/** Reads a selector; an empty one is `all()`. `||` binds weakest, then `&&`, then `!`, which takes the comparison after it. */
export function parseSelector(text: string): Parsed {
  try {
    return { expression: new Parser(tokensOf(text)).whole() };
  } catch (error) {
    if (error instanceof SelectorFault) return { fault: error.message };
    throw error;
  }
}

type Kind = Token["kind"];

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    if (this.#peek().kind === "end") return { kind: "all" };
    const expression = this.#either();
    if (this.#peek().kind !== "end") this.#expected("&&, || or the end");
    return expression;
  }

  #either(): Expression {
    return this.#joined("or", "||", () => this.#joined("and", "&&", () => this.#operand()));
  }

  #joined(kind: "and" | "or", symbol: Kind, part: () => Expression): Expression {
    const first = part();
    if (this.#peek().kind !== symbol) return first;
    const operands = [first];
    while (this.#took(symbol)) operands.push(part());
    return { kind, operands };
  }

  #operand(): Expression {
    let negated = false;
    while (this.#took("!")) negated = !negated;
    const operand = this.#term();
    return negated ? { kind: "not", operand } : operand;
  }

  #term(): Expression {
    const token = this.#take();
    switch (token.kind) {
      case "all":
      case "global":
        return { kind: token.kind };
      case "has":
        return { kind: "has", label: token.value };
      case "label":
        return this.#comparison(token.value);
      case "(":
        return this.#inParentheses(token);
      case "text":
        throw new SelectorFault(token.at, "expected a label's name, which has no quotes");
      default:
        this.#next--;
        return this.#expected("a label's name, has(…), all(), ! or (");
    }
  }

  #inParentheses({ at }: Token): Expression {
    if (++this.#depth > DEEPEST) throw new SelectorFault(at, `more than ${DEEPEST} parentheses inside each other`);
    const inside = this.#either();
    if (!this.#took(")")) this.#expected(`&&, || or the ")" of the parenthesis at column ${at + 1}`);
    this.#depth--;
    return inside;
  }

  #comparison(label: string): Expression {
    const { kind } = this.#take();
    switch (kind) {
      case "==":
      case "!=":
      case "contains":
      case "starts with":
      case "ends with":
        return { kind, label, value: this.#text() };
      case "in":
      case "not in":
        return { kind, label, values: this.#set(kind) };
      default:
        this.#next--;
        return this.#expected("an operator after a label: ==, !=, contains, starts with, ends with, in, not in");
    }
  }

  #text(): string {
    const token = this.#take();
    if (token.kind === "text") return token.value;
    this.#next--;
    const meant = token.kind === "label" ? `: "${token.value}"` : "";
    return this.#expected(`a value in quotes${meant}`);
  }

  /** Values in braces; a comma may follow the last one. */
  #set(operator: string): string[] {
    if (!this.#took("{")) this.#expected(`{ after ${operator}`);
    const values = new Set<string>();
    while (!this.#took("}")) {
      values.add(this.#text());
      if (this.#took(",")) continue;
      if (this.#peek().kind !== "}") this.#expected('"," or "}" after a value');
    }
    return [...values].sort();
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #took(kind: Kind): boolean {
    if (this.#peek().kind !== kind) return false;
    this.#next++;
    return true;
  }

  #expected(what: string): never {
    throw new SelectorFault(this.#peek().at, `expected ${what}`);
  }
}
