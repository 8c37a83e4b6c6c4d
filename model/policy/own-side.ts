import { type Address, covers, type Family, hostCidr, parseCidr } from "../address/address.ts";
import type { CompiledPolicy, PolicyRule } from "./compiled-policy.ts";
import { hasNames, NAMED_BY, withoutNames } from "./named-ports.ts";
import type { PeerMatch } from "./rules.ts";
import type { Who } from "./workload-selector.ts";

/** All addresses of a family. */
export const EVERY: Readonly<Record<Family, string>> = { IPv4: "0.0.0.0/0", IPv6: "::/0" };

/** An endpoint, as rules that ask about it see it. */
export interface OwnSide {
  readonly who: Who;
  readonly addresses: readonly Address[];
  /** Network sets that an address is in. */
  setsAt(address: Address): readonly Who[];
}

/** The policy for one endpoint: rules that ask about the endpoint itself apply to it, or to its addresses of one family, or are removed.
 * `text`: which; the same for endpoints for which the policy is the same. */
export function atOwnSide(policy: CompiledPolicy, own: OwnSide): { policy: CompiledPolicy; text: string } {
  const texts: string[] = [];
  const resolve = (rules: readonly PolicyRule[] | undefined, side: "ingress" | "egress") => {
    if (!rules?.some(({ here }) => here)) return rules;
    return rules.flatMap((rule): PolicyRule[] => {
      if (!rule.here) return [rule];
      const versions = own.addresses.map((address) => atAddress(rule, side, address, policy, own));
      texts.push(versions.map(({ text }) => text).join("+"));
      const [first] = versions;
      if (first && versions.every(({ text }) => text === first.text)) return first.rule ? [first.rule] : [];
      return versions.flatMap(({ rule: version, family }) => (version ? [ofFamily(version, family)] : []));
    });
  };
  const [ingress, egress] = [resolve(policy.ingress, "ingress"), resolve(policy.egress, "egress")];
  if (texts.length === 0) return { policy, text: "" };
  return { policy: { ...policy, ...(ingress && { ingress }), ...(egress && { egress }) }, text: texts.join() };
}

/** The rule for one address of the endpoint; undefined: it does not hold. */
function atAddress(
  { here = {}, ...rule }: PolicyRule,
  side: "ingress" | "egress",
  address: Address,
  policy: CompiledPolicy,
  own: OwnSide,
): { family: Family; text: string; rule?: PolicyRule } {
  const { family } = hostCidr(address);
  if (!holds(here, address, policy, [own.who, ...own.setsAt(address)])) return { family, text: "no" };
  const lists = NAMED_BY[side].own;
  const isOwner = !here.selectors || !hasNames(rule, lists) || holds(here, address, policy, [own.who]);
  return isOwner ? { family, text: "yes", rule } : { family, text: "unnamed", rule: withoutNames(rule, lists) };
}

function holds(here: PeerMatch, address: Address, { ownSelectors }: CompiledPolicy, all: readonly Who[]): boolean {
  const cidr = hostCidr(address);
  const isSelected = (text: string) => all.some((who) => ownSelectors.get(text)?.selects(who));
  const isIn = (text: string) => covers(parseCidr(text), cidr);
  const { selectors = [], notSelectors = [], cidrs, except = [] } = here;
  return (
    selectors.every(isSelected) && !notSelectors.some(isSelected) && (!cidrs || cidrs.some(isIn)) && !except.some(isIn)
  );
}

function ofFamily(rule: PolicyRule, family: Family): PolicyRule {
  const peers = (rule.peers ?? [{}]).map(
    (peer): PeerMatch => ({
      ...peer,
      cidrs: peer.cidrs?.filter((text) => parseCidr(text).family === family) ?? [EVERY[family]],
    }),
  );
  return { ...rule, peers };
}
