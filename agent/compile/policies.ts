import { Memo } from "../../model/memo.ts";
import type { EndpointPolicy } from "../../model/policy/endpoint-policy.ts";
import type { Selection } from "../../model/policy/selection.ts";
import type { Steps } from "../../model/steps.ts";
import type { PolicyKey, PolicyValue } from "../kernel/layout.gen.ts";
import { type Contribution, type Contributions, defaultKey, type Entry, type PolicyNames } from "./desired.ts";
import type { Ends } from "./identity-numbers.ts";
import { idOf, Numbering } from "./ids.ts";
import { type Distinguished, JudgedPolicy } from "./judged-policy.ts";
import { type AtOwnEnd, OwnEnds, ownEndEntries } from "./own-ends.ts";
import { RuleNames } from "./rule-names.ts";

export interface PolicyMap {
  readonly policies: Contributions<PolicyKey, PolicyValue>;
  readonly names: Omit<PolicyNames, "identities">;
  /** By number. */
  readonly contents: ReadonlyMap<number, EndpointPolicy>;
  /** Whether a Log rule is in force. */
  readonly logs: boolean;
  idOf(policy: EndpointPolicy): number;
  /** The identities that the policy does not treat like any other address, with what it says of them; also those that it tells on its own side,
   * with what holds for them. */
  distinguishedBy(policy: EndpointPolicy): readonly Distinguished[];
}

/** Compiles the map `policies`. A policy is judged once for each identity in its life. */
export class PolicyCompiler {
  readonly #ids = new Numbering<EndpointPolicy>(({ name }) => [name]);
  readonly #judged = new Memo<EndpointPolicy, JudgedPolicy>();
  readonly #ownEnds = new OwnEnds();
  readonly #contributions = new Memo<readonly Entry<PolicyKey, PolicyValue>[], Contribution<PolicyKey, PolicyValue>>();

  /** Judges every identity by every policy in force. Undefined where that makes more than `limit` entries. */
  *compile(
    { inForce }: Pick<Selection, "inForce">,
    { identities, ofNode }: Ends,
    limit: number,
    salt?: string,
  ): Steps<PolicyMap | undefined> {
    const ends = new Map<EndpointPolicy, readonly AtOwnEnd[]>();
    let room = limit;
    for (const policy of inForce.values()) {
      const found = yield* this.#ownEnds.of(policy, { identities, ofNode }, room);
      if (!found) return undefined;
      room -= found.length;
      if (found.length > 0) ends.set(policy, found);
    }
    const instead = [...ends.values()].flatMap((found) => found.map(({ policy }) => policy));
    // Those that others refer to come first.
    const all = [...new Set([...instead, ...inForce.values()])];
    const displaced = this.#ids.assign(all);
    const numberOf = (policy: EndpointPolicy) => idOf(displaced, policy.name);
    const policies: Contribution<PolicyKey, PolicyValue>[] = [];
    const distinguished = new Map<EndpointPolicy, Distinguished>();
    const rules = new RuleNames(salt);
    const defaults = new Map<number, string>();
    let logs = false;
    for (const policy of all) {
      const judged = this.#judged.get(policy, [], () => new JudgedPolicy(policy, salt));
      const entries = yield* judged.entries(numberOf(policy), identities, room);
      if (!entries) return undefined;
      room -= entries.length;
      policies.push(this.#contributions.get(entries, [policy], () => ({ owner: policy.owner, entries })));
      const own = ends.get(policy);
      if (own) policies.push({ owner: policy.owner, entries: ownEndEntries(numberOf(policy), own, numberOf) });
      distinguished.set(policy, judged.distinguished);
      logs ||= judged.logs;
      rules.include(judged.rules);
      for (const [direction, reason] of judged.defaults) {
        defaults.set(defaultKey(numberOf(policy), direction), reason);
      }
    }
    const contents = new Map(all.map((policy) => [numberOf(policy), policy]));
    const names = new Map([...contents].map(([number, { sources }]) => [number, sources]));
    return {
      policies,
      names: { policies: names, rules: rules.denials, logs: rules.logs, defaults },
      contents,
      logs,
      idOf: numberOf,
      distinguishedBy: (policy) => {
        const own = ends.get(policy) ?? [];
        const [others, ofOthers] = [new Map<number, number>(), new Set(own.map((end) => end.policy))];
        for (const end of own)
          others.set(end.identity, ((others.get(end.identity) ?? 0) * 31 + numberOf(end.policy)) >>> 0);
        return [policy, ...ofOthers]
          .flatMap((one) => distinguished.get(one) ?? [])
          .concat(own.length > 0 ? [others] : []);
      },
    };
  }
}
