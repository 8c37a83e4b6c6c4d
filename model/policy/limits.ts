import { heaviestFirst } from "../heaviest-first.ts";
import type { Problem } from "../problem.ts";
import type { CompiledPolicy } from "./network-policy.ts";

/** What one NetworkPolicy may hold. One that holds more isolates its pods and allows nothing: it could keep an agent busy
 * for minutes, and what it would allow cannot be told apart from what it would not. */
export const POLICY_LIMITS = {
  /** ipBlocks and their exceptions, together. */
  blocks: 16_384,
  /** Peers by podSelector or namespaceSelector. */
  selectors: 1_024,
  rules: 4_096,
  /** Entries of all lists of ports. */
  ports: 4_096,
} as const;

type Counts = Record<keyof typeof POLICY_LIMITS, number>;

const WORDS: Record<keyof typeof POLICY_LIMITS, string> = {
  blocks: "ipBlocks and exceptions",
  selectors: "peers by selectors",
  rules: "rules",
  ports: "ports",
};

/** The limit that the policy is over, in words; undefined where it is over none. */
export function overLimit(policy: CompiledPolicy): string | undefined {
  const counts = countsOf(policy);
  const names = Object.keys(POLICY_LIMITS) as (keyof Counts)[];
  const over = names.find((name) => counts[name] > POLICY_LIMITS[name]);
  return over && `has ${counts[over]} ${WORDS[over]}; one NetworkPolicy may have ${POLICY_LIMITS[over]}`;
}

function countsOf({ ingress = [], egress = [] }: CompiledPolicy): Counts {
  const counts = { blocks: 0, selectors: 0, rules: ingress.length + egress.length, ports: 0 };
  for (const { peers = [], ports = [] } of [...ingress, ...egress]) {
    counts.ports += ports.length;
    for (const peer of peers) {
      if ("cidr" in peer) counts.blocks += 1 + peer.except.length;
      else counts.selectors++;
    }
  }
  return counts;
}

/** The policy as it is while it is too large: its pods are isolated in its directions, and it allows nothing. */
export function closed(policy: CompiledPolicy, why: string): CompiledPolicy {
  const { owner, namespace, name, subject, ingress, egress } = policy;
  const problem: Problem = {
    kind: "NetworkPolicy",
    namespace,
    name,
    path: "spec",
    message: `${why}. It isolates its pods and allows nothing until it is smaller. Next: split it, or name larger blocks.`,
  };
  return {
    owner,
    namespace,
    name,
    subject,
    ...(ingress && { ingress: [] }),
    ...(egress && { egress: [] }),
    selectors: [],
    text: "closed",
    closed: true,
    problems: [...policy.problems, problem],
  };
}

/** The order in which policies are closed where all together are too large for a node. */
export function closingOrder(policies: readonly CompiledPolicy[]): CompiledPolicy[] {
  const weighed = policies.map((policy) => {
    const { namespace, owner } = policy;
    return { policy, namespace, owner, weight: weightOf(policy) };
  });
  return heaviestFirst(weighed).map(({ policy }) => policy);
}

function weightOf({ ingress = [], egress = [] }: CompiledPolicy): number {
  let weight = 0;
  for (const { peers = [], ports = [] } of [...ingress, ...egress]) {
    const named = peers.reduce((sum, peer) => sum + ("cidr" in peer ? 1 + peer.except.length : 1), 1);
    weight += named * (1 + ports.length);
  }
  return weight;
}
