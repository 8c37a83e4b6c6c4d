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
  /** A direction in which nothing is to be asked is absent. */
  readonly ingress?: readonly Tier[];
  readonly egress?: readonly Tier[];
  /** `egress` is asked on the way to the own node too: one of the policies is Calico's. */
  readonly isAskedOfNode?: true;
  /** What holds after the last tier. */
  readonly afterwards: Decision;
  /** Its rules ask about a flow's end on this side: the policy is that of a flow whose end none of them tells. */
  readonly byOwnEnd?: ByOwnEnd;
}

/** The policies that hold instead of one, by the end of a flow on its side. */
export interface ByOwnEnd {
  /** Whom none of these words means, and who has no port with a name, is like everybody. */
  readonly words: EndWords;
  /** The end is always the endpoint itself, at one of its addresses. */
  readonly isItself: boolean;
  /** One direction; undefined: the same as for everybody. Of the same name for whom the rules tell alike. */
  at(side: Side, end: Peer): EndpointPolicy | undefined;
  /** Others that it has made are forgotten, where they are the most: owners of pods choose the numbers of their named ports. */
  forgetBut(used: ReadonlySet<EndpointPolicy>): void;
}

/** The policies that hold for all that the end on its side may be. */
export function atOwnEnds(
  policy: EndpointPolicy,
  side: Side,
  ends: () => readonly (Peer | undefined)[],
): readonly EndpointPolicy[] {
  const { byOwnEnd } = policy;
  return byOwnEnd ? [...new Set(ends().map((end) => byOwnEnd.at(side, end ?? ANYBODY) ?? policy))] : [policy];
}
