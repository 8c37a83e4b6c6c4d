import { changesBetween } from "../changes.ts";
import { Claims } from "../claims.ts";
import { firstFew } from "../first-few.ts";
import { ageText } from "../objects/age.ts";
import type { Problem } from "../problem.ts";
import { each, type Steps } from "../steps.ts";
import { ANY_NODE, frontendText } from "./frontend.ts";
import { type Claim, claims as claimOrder } from "./frontend-rules.ts";
import type { FrontendRule } from "./frontends.ts";
import type { CompiledService } from "./service.ts";

/** A frontend that its object asks for and does not get, and why. */
export interface Refusal {
  readonly rule: FrontendRule;
  readonly reason: string;
}

/** What a claimant does not get, by its key in words. */
export type Lost = ReadonlyMap<string, Refusal>;
type Losses = Map<CompiledService, Map<string, Refusal>>;

/** Decides between objects that want one address and port. A cluster address belongs to its Service only, on any port; a node port
 * takes precedence over other claims on a node's address; otherwise the older object keeps its claim. */
export class FrontendClaims {
  readonly #frontends = new Claims<CompiledService, string>(({ frontends, owner }) =>
    frontends.map(({ key }) => [frontendText(key), owner]),
  );
  readonly #clusterAddresses = new Claims<CompiledService, string>(({ frontends, owner }) =>
    frontends.flatMap(({ claim, key }) => (claim === "cluster IP" ? [[key.address, owner] as const] : [])),
  );
  readonly #rules = new WeakMap<CompiledService, ReadonlyMap<string, FrontendRule>>();
  #claimants: readonly CompiledService[] = [];
  /** Of each claimant the frontends that may be another's. */
  readonly #disputable = new Map<CompiledService, readonly FrontendRule[]>();

  /** Replaces the claimants by these, and gives those that lose something. */
  *settling(
    claimants: readonly CompiledService[],
    isNode: (address: string) => boolean,
  ): Steps<ReadonlyMap<CompiledService, Lost>> {
    yield* this.#frontends.updating(claimants);
    yield* this.#clusterAddresses.updating(claimants);
    const { gone, come } = changesBetween(this.#claimants, claimants);
    this.#claimants = claimants;
    for (const item of gone) this.#disputable.delete(item);
    for (const item of come) {
      const rules = item.frontends.filter(isDisputable);
      if (rules.length > 0) this.#disputable.set(item, rules);
    }
    const losses: Losses = new Map();
    for (const [item, rules] of this.#disputable) {
      yield* each(rules, (rule) => {
        const reason = this.#taken(item, rule, isNode);
        if (reason) lose(losses, item, { rule, reason });
      });
    }
    yield* each(this.#frontends.contested, (key) => this.#contest(key, losses), 1);
    return losses;
  }

  // The owner of the address, or of the port on every node, takes precedence.
  #taken({ owner }: CompiledService, { key, family }: FrontendRule, isNode: (address: string) => boolean) {
    const cluster = this.#clusterAddresses.names(key.address).find((name) => name !== owner);
    if (cluster) return `${key.address} is the cluster IP of ${cluster}`;
    if (!isNode(key.address)) return undefined;
    const [port] = this.#frontends
      .get(frontendText({ ...key, address: ANY_NODE[family] }))
      .map(({ item }) => item)
      .sort((a, b) => (ageText(a.object) < ageText(b.object) ? -1 : 1));
    return port && `${key.port} is the node port of ${port.owner}`;
  }

  #contest(key: string, losses: Losses): void {
    const standing = this.#frontends
      .get(key)
      .filter(({ item }) => !losses.get(item)?.has(key))
      .flatMap(({ item }) => {
        const rule = this.#rulesOf(item).get(key);
        return rule ? [{ item, rule, rank: `${rankOf(rule.claim)} ${ageText(item.object)}` }] : [];
      })
      .sort((a, b) => (a.rank < b.rank ? -1 : 1));
    const [first, ...others] = standing;
    for (const { item, rule } of others) {
      if (!first || item.owner === first.item.owner) continue;
      const why = first.rule.claim === rule.claim ? "which is older" : `which has it as its ${first.rule.claim}`;
      lose(losses, item, { rule, reason: `it belongs to ${first.item.owner}, ${why}` });
    }
  }

  #rulesOf(item: CompiledService): ReadonlyMap<string, FrontendRule> {
    let rules = this.#rules.get(item);
    if (!rules) {
      rules = new Map(item.frontends.map((rule) => [frontendText(rule.key), rule]));
      this.#rules.set(item, rules);
    }
    return rules;
  }
}

function isDisputable({ claim }: FrontendRule): boolean {
  return claim !== "cluster IP" && claim !== "node port" && claim !== "health check";
}

function lose(losses: Losses, item: CompiledService, refusal: Refusal): void {
  const lost = losses.get(item) ?? new Map<string, Refusal>();
  losses.set(item, lost.set(frontendText(refusal.rule.key), refusal));
}

// Among what people claim, the kind of the claim decides nothing.
function rankOf(claim: Claim): number {
  return Math.min(claimOrder.indexOf(claim), claimOrder.indexOf("external IP"));
}

/** What is said of an object's frontends that are not served: one sentence for each field and reason, however many. */
export function notServed({ object, kind }: Pick<CompiledService, "object" | "kind">, refusals: Iterable<Refusal>) {
  const { namespace, name } = object.metadata;
  const groups = Map.groupBy(refusals, ({ rule, reason }) => `${rule.path} ${reason}`);
  return [...groups.values()].flatMap((group): Problem[] => {
    const [{ rule, reason }] = group as [Refusal, ...Refusal[]];
    const keys = group.map((one) => frontendText(one.rule.key));
    const verb = keys.length > 1 ? "are" : "is";
    const message = `${firstFew(keys)} ${verb} not served: ${reason}. ${next(rule.claim)}`;
    return [{ kind, namespace: namespace ?? undefined, name, path: rule.path, message }];
  });
}

function next(claim: Claim): string {
  if (claim === "host port") return "Next: choose another hostPort.";
  if (claim === "health check") return "Next: choose another healthCheckNodePort.";
  return claim === "node port" ? "Next: choose another nodePort." : "Next: choose another address or port.";
}
