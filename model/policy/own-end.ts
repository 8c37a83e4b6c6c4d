import { hostCidr, parseCidr } from "../address/address.ts";
import type { CompiledPolicy, PolicyRule } from "./compiled-policy.ts";
import type { Peer } from "./judge.ts";
import { hasNames, NAMED_BY, portNames, textWithoutSets, withoutNames, withoutSets } from "./named-ports.ts";
import type { OwnEnd, Subject } from "./subject.ts";
import type { EndWords } from "./vocabulary.ts";

// A flow that a node forwards has an end on the side of its host endpoint that is not the endpoint, and a flow of the node itself has one
// of several addresses there. So rules that ask about that side ask about the end that has the packet's address. That end is known by its
// identity, like a peer.

export type Side = keyof typeof NAMED_BY;

function tells(rule: PolicyRule, side: Side): boolean {
  return rule.here !== undefined || hasNames(rule, NAMED_BY[side].own);
}

/** The rules of both directions that ask about the end on the policy's own side. */
function tellingRules({ ingress = [], egress = [] }: CompiledPolicy) {
  const of = (rules: readonly PolicyRule[], side: Side) =>
    rules.flatMap((rule) => (tells(rule, side) ? [{ rule, side }] : []));
  return [...of(ingress, "ingress"), ...of(egress, "egress")];
}

/** Whether the policy depends on a flow's end. An end that is always the subject always has the subject's ports. */
export function tellsOwnEnds(policy: CompiledPolicy, ownEnd: OwnEnd): boolean {
  return tellingRules(policy).some(({ rule }) => ownEnd === "anybody" || rule.here !== undefined);
}

/** All by which the policy can distinguish ends on its own side. */
export function wordsOfOwnEnds(policy: CompiledPolicy): EndWords {
  const rules = tellingRules(policy);
  const selectors = rules.flatMap(({ rule, side }) => {
    const { selectors: some = [], notSelectors = [] } = rule.here ?? {};
    const texts = [...some, ...notSelectors];
    const all = texts.flatMap((text) => policy.ownSelectors.get(text) ?? []);
    return hasNames(rule, NAMED_BY[side].own) ? [...all, ...all.map(withoutSets)] : all;
  });
  const texts = rules.flatMap(({ rule: { here = {} } }) => [...(here.cidrs ?? []), ...(here.except ?? [])]);
  return {
    selectors,
    cidrs: new Map(texts.map((text) => [text, parseCidr(text)])),
    ports: rules.flatMap(({ rule, side }) => NAMED_BY[side].own.flatMap((list) => portNames(rule[list]))),
  };
}

/** Whether the end is the host endpoint: an address of its interface counts as the host endpoint, whatever its expectedIPs are. */
export function isAtItself({ ownEnd, addresses }: Subject, end: Peer): boolean {
  return ownEnd === "itself" || addresses.some((address) => end.cidrs.has(hostCidr(address).text));
}

/** One direction of the policy for flows with this end on its own side: rules that ask about the end are kept or removed. `text`: which.
 * @param itself the end is the host endpoint too */
export function atOwnEnd(
  policy: CompiledPolicy,
  side: Side,
  end: Peer,
  itself: Subject | undefined,
): { readonly policy: CompiledPolicy; readonly text: string } {
  const { ingress, egress, ...rest } = policy;
  const rules = side === "ingress" ? ingress : egress;
  if (!rules) return { policy: rest, text: "" };
  const texts: string[] = [];
  const resolved = rules.flatMap((rule): PolicyRule[] => {
    if (!tells(rule, side)) return [rule];
    const found = ruleAt(rule, side, end, (text) => itself !== undefined && selects(policy, text, itself));
    texts.push(!found ? "no" : found.isNamed ? "yes" : "unnamed");
    return found ? [found.rule] : [];
  });
  return { policy: { ...rest, [side]: resolved }, text: texts.join() };
}

function selects({ ownSelectors }: CompiledPolicy, text: string, { who }: Subject): boolean {
  return ownSelectors.get(text)?.selects(who) === true;
}

/** undefined: it does not hold. `isNamed`: names of ports are those of this end. */
function ruleAt(
  { here = {}, ...rule }: PolicyRule,
  side: Side,
  end: Peer,
  isItself: (text: string) => boolean,
): { readonly rule: PolicyRule; readonly isNamed: boolean } | undefined {
  const { selectors = [], notSelectors = [], cidrs, except = [] } = here;
  const isSelected = (text: string) => end.selectors.has(text) || isItself(text);
  const isIn = (text: string) => end.cidrs.has(text);
  const holds =
    selectors.every(isSelected) && !notSelectors.some(isSelected) && (!cidrs || cidrs.some(isIn)) && !except.some(isIn);
  if (!holds) return undefined;
  const lists = NAMED_BY[side].own;
  const isOwner = (text: string) => end.selectors.has(textWithoutSets(text)) || isItself(text);
  const isNamed = !hasNames(rule, lists) || selectors.every(isOwner);
  return { rule: isNamed ? rule : withoutNames(rule, lists), isNamed };
}
