import { Memo } from "../../model/memo.ts";
import type { EndpointPolicy, Selection } from "../../model/policy/selection.ts";
import type { Steps } from "../../model/steps.ts";
import type { PolicyKey, PolicyValue } from "../kernel/layout.gen.ts";
import { type Contribution, type Contributions, defaultKey, type Entry, type PolicyNames } from "./desired.ts";
import type { IdentityNumbers } from "./identity-numbers.ts";
import { idOf, Numbering } from "./ids.ts";
import { type Distinguished, JudgedPolicy } from "./judged-policy.ts";
import { RuleNames } from "./rule-names.ts";

export interface PolicyMap {
  readonly policies: Contributions<PolicyKey, PolicyValue>;
  readonly names: Omit<PolicyNames, "identities">;
  /** By number. */
  readonly contents: ReadonlyMap<number, EndpointPolicy>;
  /** Whether a Log rule is in force. */
  readonly logs: boolean;
  idOf(policy: EndpointPolicy): number;
  /** The identities that the policy does not treat like any other address, with what it says of them. */
  distinguishedBy(policy: EndpointPolicy): Distinguished | undefined;
}

/** Compiles the map `policies`. A policy is judged once for each identity in its life. */
export class PolicyCompiler {
  readonly #ids = new Numbering<EndpointPolicy>(({ name }) => [name]);
  readonly #judged = new Memo<EndpointPolicy, JudgedPolicy>();
  readonly #contributions = new Memo<readonly Entry<PolicyKey, PolicyValue>[], Contribution<PolicyKey, PolicyValue>>();

  /** Judges every identity by every policy in force. Undefined where that makes more than `limit` entries. */
  *compile(
    { inForce }: Pick<Selection, "inForce">,
    identities: IdentityNumbers,
    limit: number,
    salt?: string,
  ): Steps<PolicyMap | undefined> {
    const displaced = this.#ids.assign([...inForce.values()]);
    const policies: Contribution<PolicyKey, PolicyValue>[] = [];
    const distinguished = new Map<EndpointPolicy, Distinguished>();
    const rules = new RuleNames(salt);
    const defaults = new Map<number, string>();
    let room = limit;
    let logs = false;
    for (const policy of inForce.values()) {
      const judged = this.#judged.get(policy, [], () => new JudgedPolicy(policy, salt));
      const entries = yield* judged.entries(idOf(displaced, policy.name), identities, room);
      if (!entries) return undefined;
      room -= entries.length;
      policies.push(this.#contributions.get(entries, [policy], () => ({ owner: policy.owner, entries })));
      distinguished.set(policy, judged.distinguished);
      logs ||= judged.logs;
      rules.include(judged.rules);
      for (const [direction, reason] of judged.defaults) {
        defaults.set(defaultKey(idOf(displaced, policy.name), direction), reason);
      }
    }
    const contents = new Map([...inForce.values()].map((policy) => [idOf(displaced, policy.name), policy]));
    const names = new Map([...contents].map(([number, { sources }]) => [number, sources]));
    return {
      policies,
      names: { policies: names, rules: rules.denials, logs: rules.logs, defaults },
      contents,
      logs,
      idOf: (policy) => idOf(displaced, policy.name),
      distinguishedBy: (policy) => distinguished.get(policy),
    };
  }
}
