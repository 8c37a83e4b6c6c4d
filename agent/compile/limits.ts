import type { Problem } from "../../model/problem.ts";
import { maps } from "../kernel/layout.gen.ts";
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

/** What the loadBalancerSourceRanges of one Service may hold. With more, nobody is served at its load balancer's addresses. */
export const SOURCE_RANGES_LIMIT = 4_096;

/** What all lists of ranges may hold together: half of the map, so that the new ones find room beside the old ones. */
export const NODE_SOURCE_RANGES = maps.sourceRanges.maxEntries / 2;

/** Entries of the map `policies` that all policies in force on one node may need: half of it, so that the new ones find
 * room beside the old ones while endpoints move from one to the other. */
export const NODE_POLICY_ENTRIES = maps.policies.maxEntries / 2;

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

interface Weighed {
  readonly namespace: string;
  readonly owner: string;
  readonly weight: number;
}

/** Whichever namespace takes most gives first, its heaviest item. Small namespaces keep theirs, whatever the large one does. */
export function heaviestFirst<Item extends Weighed>(items: readonly Item[]): Item[] {
  const namespaces = [...Map.groupBy(items, ({ namespace }) => namespace).values()].map((members) => {
    const sorted = members.sort((a, b) => b.weight - a.weight || (a.owner < b.owner ? -1 : 1));
    // Each of them stands where its namespace stands with it and all that are lighter.
    let total = sorted.reduce((sum, { weight }) => sum + weight, 0);
    return sorted.map((item) => {
      const place = { item, total };
      total -= item.weight;
      return place;
    });
  });
  return namespaces
    .flat()
    .sort((a, b) => b.total - a.total || (a.item.owner < b.item.owner ? -1 : 1))
    .map(({ item }) => item);
}

function weightOf({ ingress = [], egress = [] }: CompiledPolicy): number {
  let weight = 0;
  for (const { peers = [], ports = [] } of [...ingress, ...egress]) {
    const named = peers.reduce((sum, peer) => sum + ("cidr" in peer ? 1 + peer.except.length : 1), 1);
    weight += named * (1 + ports.length);
  }
  return weight;
}
