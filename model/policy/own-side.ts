import { type Address, covers, type Family, hostCidr, parseCidr } from "../address/address.ts";
import type { CompiledPolicy, PolicyRule } from "./compiled-policy.ts";
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

/** The policy as it is for one endpoint: rules that ask about the endpoint itself hold for it, for its addresses of one family, or are
 * gone. `text`: which, the same for endpoints for which the policy is the same. */
export function atOwnSide(policy: CompiledPolicy, own: OwnSide): { policy: CompiledPolicy; text: string } {
  const texts: string[] = [];
  const resolve = (rules: readonly PolicyRule[] | undefined) => {
    if (!rules?.some(({ here }) => here)) return rules;
    return rules.flatMap((rule): PolicyRule[] => {
      const { here, ...rest } = rule;
      if (!here) return [rule];
      const families = own.addresses
        .filter((address) => holds(here, address, policy, own))
        .map((address) => hostCidr(address).family);
      texts.push(families.join("+"));
      if (families.length === own.addresses.length) return [rest];
      return families.map((family) => ({ ...rest, peers: ofFamily(rest.peers ?? [{}], family) }));
    });
  };
  const [ingress, egress] = [resolve(policy.ingress), resolve(policy.egress)];
  if (texts.length === 0) return { policy, text: "" };
  return { policy: { ...policy, ...(ingress && { ingress }), ...(egress && { egress }) }, text: texts.join() };
}

function holds(here: PeerMatch, address: Address, { ownSelectors }: CompiledPolicy, own: OwnSide): boolean {
  const cidr = hostCidr(address);
  const all = [own.who, ...own.setsAt(address)];
  const isSelected = (text: string) => all.some((who) => ownSelectors.get(text)?.selects(who));
  const isIn = (text: string) => covers(parseCidr(text), cidr);
  const { selectors = [], notSelectors = [], cidrs, except = [] } = here;
  return (
    selectors.every(isSelected) && !notSelectors.some(isSelected) && (!cidrs || cidrs.some(isIn)) && !except.some(isIn)
  );
}

function ofFamily(peers: readonly PeerMatch[], family: Family): PeerMatch[] {
  return peers.map((peer) => ({
    ...peer,
    cidrs: peer.cidrs?.filter((text) => parseCidr(text).family === family) ?? [EVERY[family]],
  }));
}
