// Calico's selectors, evaluated while they are read. Written from the documentation of GlobalNetworkPolicy, "Selectors", apart from the
// product's parser; it expects a text that is right.
import { isMisunderstood as wrong } from "./misunderstood.ts";
import type { Labels } from "./objects.ts";

const TOKEN =
  /\s*(?:'([^']*)'|"([^"]*)"|(has\(\s*[\w./-]+\s*\)|all\(\s*\)|global\(\s*\)|==|!=|&&|\|\||[!(){},]|[\w./-]+))/y;

type Token = { text: string } | { value: string };

/** Whether `selector` selects labels; "" selects everything. `prefix` is put before every label's name, and all() is true of `all`. */
export function selects(selector: string, labels: Labels, prefix = "", all = true): boolean {
  const tokens = tokensOf(selector);
  if (tokens.length === 0) return true;
  const reader = new Reader(tokens, labels, prefix, all);
  const answer = reader.either();
  if (reader.rest > 0) throw new Error(`unexpected end of the selector ${selector}`);
  return answer;
}

function tokensOf(selector: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (selector.slice(TOKEN.lastIndex).trim() !== "") {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(selector);
    if (!match) throw new Error(`cannot read the selector ${selector} at ${at}`);
    const [, single, double, text] = match;
    found.push(text === undefined ? { value: single ?? double ?? "" } : { text: text.replaceAll(/\s/g, "") });
  }
  return found;
}

class Reader {
  #at = 0;
  readonly #tokens: readonly Token[];
  readonly #labels: Labels;
  readonly #prefix: string;
  readonly #all: boolean;

  constructor(tokens: readonly Token[], labels: Labels, prefix: string, all: boolean) {
    [this.#tokens, this.#labels, this.#prefix, this.#all] = [tokens, labels, prefix, all];
  }

  get rest(): number {
    return this.#tokens.length - this.#at;
  }

  either(): boolean {
    if (wrong("or before and")) return this.#list("&&", () => this.#list("||", () => this.#one(), true), false);
    return this.#list("||", () => this.#both(), true);
  }

  #both(): boolean {
    return this.#list("&&", () => this.#one(), false);
  }

  /** Reads everything, whatever the first says. `some`: one is enough. */
  #list(between: string, part: () => boolean, some: boolean): boolean {
    const answers = [part()];
    while (this.#skip(between)) answers.push(part());
    return some ? answers.includes(true) : !answers.includes(false);
  }

  #one(): boolean {
    if (this.#skip("!")) return wrong("and before not") ? !this.#both() : !this.#one();
    if (this.#skip("(")) {
      const answer = this.either();
      this.#expect(")");
      return answer;
    }
    const name = this.#text();
    if (name === "all()") return this.#all;
    if (name === "global()") return !this.#all;
    if (name.startsWith("has(")) return this.#label(name.slice(4, -1)) !== undefined;
    return this.#comparison(this.#label(name));
  }

  #comparison(actual: string | undefined): boolean {
    switch (this.#text()) {
      case "==":
        return actual === this.#value();
      case "!=": // "... does not have a label with that key, or with a different value"
        return actual !== this.#value() && !(wrong("missing label is unequal to nothing") && actual === undefined);
      case "in":
        return this.#values().some((value) => value === actual);
      case "not":
        this.#expect("in");
        return (
          !this.#values().some((value) => value === actual) &&
          !(wrong("not in needs the label") && actual === undefined)
        );
      case "contains": {
        const value = this.#value();
        return wrong("contains is equality") ? actual === value : actual?.includes(value) === true;
      }
      case "starts": {
        this.#expect("with");
        const value = this.#value();
        return (wrong("starts with is contains") ? actual?.includes(value) : actual?.startsWith(value)) === true;
      }
      case "ends":
        this.#expect("with");
        return (actual ?? "").endsWith(this.#value()) && actual !== undefined;
      default:
        throw new Error("no such operator");
    }
  }

  #label(name: string): string | undefined {
    return this.#labels[this.#prefix + name];
  }

  #values(): string[] {
    this.#expect("{");
    const values: string[] = [];
    while (!this.#skip("}")) {
      values.push(this.#value());
      this.#skip(",");
    }
    return values;
  }

  #text(): string {
    const token = this.#tokens[this.#at++];
    if (!token || !("text" in token)) throw new Error("a name or an operator is missing");
    return token.text;
  }

  #value(): string {
    const token = this.#tokens[this.#at++];
    if (!token || !("value" in token)) throw new Error("a value is missing");
    return token.value;
  }

  #skip(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (!token || !("text" in token) || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw new Error(`${text} is missing`);
  }
}
