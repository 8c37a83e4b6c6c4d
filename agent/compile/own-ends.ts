import { Latest, Memo } from "../../model/memo.ts";
import type { ByOwnEnd, EndpointPolicy } from "../../model/policy/endpoint-policy.ts";
import type { Steps } from "../../model/steps.ts";
import { Direction, POLICY_OWN_SIDE, type PolicyKey, type PolicyValue, PolicyVerdict } from "../kernel/layout.gen.ts";
import type { Entry } from "./desired.ts";
import { changesOf, type Ends, NOBODY } from "./identity-numbers.ts";

/** The policy that holds in place of another for flows whose end on the own side has this identity. */
export interface AtOwnEnd {
  readonly identity: number;
  readonly direction: number;
  readonly policy: EndpointPolicy;
}

const SIDES = [
  ["ingress", Direction.INGRESS],
  ["egress", Direction.EGRESS],
] as const;
const WHOLE_SCOPE = 72; // bits of policy_key without protocol and port

/** Which policies hold by own ends, for the identities in use. */
export class OwnEnds {
  readonly #found = new Memo<ByOwnEnd, Latest<readonly AtOwnEnd[] | undefined>>();

  /** Undefined where there are more than `limit`. */
  *of({ byOwnEnd }: EndpointPolicy, ends: Ends, limit: number): Steps<readonly AtOwnEnd[] | undefined> {
    if (!byOwnEnd) return NONE;
    const latest = this.#found.get(byOwnEnd, [], () => new Latest());
    return yield* latest.getting([ends.identities, ends.ofNode, limit], () => find(byOwnEnd, ends, limit));
  }
}

const NONE: readonly never[] = [];

function* find(byOwnEnd: ByOwnEnd, { identities, ofNode }: Ends, limit: number): Steps<AtOwnEnd[] | undefined> {
  const { selectors, cidrs } = byOwnEnd.words;
  const words = new Set([...selectors.map(({ text }) => text), ...cidrs.keys()]);
  const named = [...changesOf(NOBODY, identities).come.named(words)].sort(([, a], [, b]) => a - b);
  const found: AtOwnEnd[] = [];
  const policies = new Map<string, EndpointPolicy>();
  const same = (policy: EndpointPolicy) => {
    const { name } = policy.name;
    if (!policies.has(name)) policies.set(name, policy);
    return policies.get(name) ?? policy;
  };
  for (const [place, [identity, number]] of named.entries()) {
    if (byOwnEnd.isItself && !ofNode.has(identity)) continue;
    for (const [side, direction] of SIDES) {
      const policy = byOwnEnd.at(side, identity);
      if (policy) found.push({ identity: number, direction, policy: same(policy) });
    }
    if (found.length > limit) return undefined;
    if (place % 64 === 63) yield;
  }
  byOwnEnd.forgetBut(new Set(policies.values()));
  return found;
}

/** The entries by which the packet path finds them (POLICY_OWN_SIDE). */
export function ownEndEntries(
  policy: number,
  ends: readonly AtOwnEnd[],
  numberOf: (policy: EndpointPolicy) => number,
): Entry<PolicyKey, PolicyValue>[] {
  return ends.map(({ identity, direction, policy: instead }) => ({
    key: {
      ...{ prefixLength: WHOLE_SCOPE, policy, identity, protocol: 0, port: 0 },
      direction: direction | POLICY_OWN_SIDE,
    },
    value: { verdict: PolicyVerdict.BY_OWN_SIDE, flags: 0, rule: numberOf(instead) },
  }));
}
