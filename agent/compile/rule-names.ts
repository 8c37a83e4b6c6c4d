import { hash32 } from "../../model/hash.ts";
import type { Judgement } from "../../model/policy/judgement.ts";
import type { Decision } from "../../model/policy/rules.ts";

// Reasons of denials and Log rules have numbers in the maps, for people only: a number is a hash, and where two have the same one both
// are named. 0 stands for the default of the policy that was asked, and for what is allowed and not logged. What is logged has a number
// for its reason and its Log rules together.

/** @param salt a secret: users compose the names of policies (named.ts) */
export function ruleNumber({ reason, log }: Omit<Decision, "verdict">, salt = ""): number {
  if (reason === undefined && log === undefined) return 0;
  return hash32(`${salt}${reason ?? ""}${log === undefined ? "" : `\n${log}`}`) || 1;
}

/** Names for numbers; a number with several has all of them. */
export class RuleNames {
  readonly #denials = new Map<number, string>();
  readonly #logs = new Map<number, string>();
  readonly #salt: string | undefined;

  constructor(salt?: string) {
    this.#salt = salt;
  }

  /** The reasons of denials. */
  get denials(): ReadonlyMap<number, string> {
    return this.#denials;
  }

  /** The Log rules that matched. */
  get logs(): ReadonlyMap<number, string> {
    return this.#logs;
  }

  add(decisions: Iterable<Decision>): void {
    for (const decision of decisions) {
      const { reason, log } = decision;
      if (reason === undefined && log === undefined) continue;
      const number = ruleNumber(decision, this.#salt);
      if (reason !== undefined) name(this.#denials, number, reason);
      if (log !== undefined) name(this.#logs, number, log);
    }
  }

  include({ denials, logs }: RuleNames): void {
    for (const [number, reason] of denials) name(this.#denials, number, reason);
    for (const [number, log] of logs) name(this.#logs, number, log);
  }
}

function name(names: Map<number, string>, number: number, text: string): void {
  const known = names.get(number);
  names.set(number, known === undefined || known === text ? text : bothNames(known, text));
}

/** What a number is called that stood for one and now stands for another. */
export function bothNames(known: string, other: string): string {
  return known.split(EITHER).includes(other) ? known : [known, other].join(EITHER);
}

const EITHER = " or ";

/** All that a judgement says. */
export function* decisionsOf({ protocols, others }: Judgement): Iterable<Decision> {
  yield others;
  for (const ranges of protocols.values()) {
    for (const range of ranges) {
      yield range;
      yield* range.sources ?? [];
    }
  }
}
