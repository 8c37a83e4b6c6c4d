import type { Named } from "../named.ts";
import { ANYBODY, type Peer } from "./judge.ts";
import type { Side } from "./own-end.ts";
import type { Decision, Tier } from "./rules.ts";
import type { EndWords } from "./vocabulary.ts";

/** The policies of an endpoint; other endpoints may share them. Its name is its content: the entries under its number never
 * change their meaning, so an endpoint moves from one state to the next in a single write. */
export interface EndpointPolicy {
  readonly name: Named;
  readonly owner: string;
  /** The objects it consists of: "NetworkPolicy default/a, NetworkPolicy default/b". */
  readonly sources: string;
  /** A direction without a policy is absent. */
  readonly ingress?: readonly Tier[];
  readonly egress?: readonly Tier[];
  /** Whether `egress` is also asked on the way to the own node: one of the policies is Calico's. */
  readonly isAskedOfNode?: true;
  /** What holds after the last tier. */
  readonly afterwards: Decision;
  /** Its rules ask about a flow's end on this side: the policy is for flows whose end no rule distinguishes. */
  readonly byOwnEnd?: ByOwnEnd;
}

/** The policies that apply in place of one, by the end of a flow on its side. */
export interface ByOwnEnd {
  /** An end that matches none of these words, and has no named port, is like all others. */
  readonly words: EndWords;
  /** The end is always the endpoint itself, at one of its addresses. */
  readonly isItself: boolean;
  /** One direction; undefined: the same as for all others. Ends that the rules do not distinguish have the same name. */
  at(side: Side, end: Peer): EndpointPolicy | undefined;
  /** When there are too many, policies for others are forgotten: owners of pods choose the numbers of their named ports. */
  forgetBut(used: ReadonlySet<EndpointPolicy>): void;
}

/** The policies that apply to all that the end on its side may be. */
export function atOwnEnds(
  policy: EndpointPolicy,
  side: Side,
  ends: () => readonly (Peer | undefined)[],
): readonly EndpointPolicy[] {
  const { byOwnEnd } = policy;
  return byOwnEnd ? [...new Set(ends().map((end) => byOwnEnd.at(side, end ?? ANYBODY) ?? policy))] : [policy];
}
