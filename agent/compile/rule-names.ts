import { hash32 } from "../../model/hash.ts";
import type { Judgement } from "../../model/policy/judgement.ts";

// Reasons of denials have numbers in the maps, for people only: a number is a hash, and where two reasons have the same one both are
// named. 0 stands for the default of the policy that was asked.

/** @param salt a secret: users compose the names of policies (named.ts) */
export function ruleNumber(reason: string | undefined, salt = ""): number {
  return reason === undefined ? 0 : hash32(salt + reason) || 1;
}

/** Names for numbers; a number with several has all of them. */
export class RuleNames {
  readonly #names = new Map<number, string>();
  readonly #salt: string | undefined;

  constructor(salt?: string) {
    this.#salt = salt;
  }

  get names(): ReadonlyMap<number, string> {
    return this.#names;
  }

  add(reasons: Iterable<string>): void {
    for (const reason of reasons) {
      const number = ruleNumber(reason, this.#salt);
      const known = this.#names.get(number);
      this.#names.set(number, known === undefined || known === reason ? reason : bothNames(known, reason));
    }
  }
}

/** What a number is called that stood for one and now stands for another. */
export function bothNames(known: string, other: string): string {
  return known.split(EITHER).includes(other) ? known : [known, other].join(EITHER);
}

const EITHER = " or ";

/** The reasons of all denials of a judgement. */
export function* reasonsOf({ protocols, others }: Judgement): Iterable<string> {
  if (others.reason !== undefined) yield others.reason;
  for (const ranges of protocols.values()) {
    for (const { reason, sources = [] } of ranges) {
      if (reason !== undefined) yield reason;
      for (const source of sources) if (source.reason !== undefined) yield source.reason;
    }
  }
}
