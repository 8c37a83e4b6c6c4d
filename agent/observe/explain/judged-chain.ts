import { explain, type TierAnswer } from "../../../model/policy/explain.ts";
import { ANYBODY, type Peer } from "../../../model/policy/judge.ts";
import type { NumberContents } from "../../compile/desired.ts";
import { Direction, type Event, PolicyVerdict } from "../../kernel/layout.gen.ts";

/** The tiers that were asked for a judgement that the packet path reports, in order: the last one decided, unless all passed. undefined: the
 * policies have changed meanwhile, or a fail-safe port was kept open. */
export function judgedChain(
  { policies, identities }: NumberContents,
  { policy: number, identity, direction, verdict, packet }: Event,
): readonly TierAnswer[] | undefined {
  const policy = policies.get(number);
  const tiers = direction === Direction.INGRESS ? policy?.ingress : policy?.egress;
  if (!policy || !tiers) return undefined;
  const peer = peerNumbered(identities, identity);
  const { protocol, destinationPort: port, sourcePort } = packet;
  const { tiers: asked, decision } = explain(tiers, policy.afterwards, peer, { protocol, port, sourcePort });
  return (decision.verdict === "allow") === (verdict === PolicyVerdict.ALLOW) ? asked : undefined;
}

/** The identity that the maps have under this number. */
export function peerNumbered(identities: NumberContents["identities"], identity: number): Peer {
  return [...identities].find(([, number]) => number === identity)?.[0] ?? ANYBODY;
}
