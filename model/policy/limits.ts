import type { Problem } from "../problem.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import type { PeerMatch, Rule } from "./rules.ts";

/** The size limits of one policy. A larger policy isolates its pods and allows nothing: it could keep an agent busy for minutes, and
 * what it would allow cannot be distinguished from what it would not. */
export const POLICY_LIMITS = {
  /** Blocks of addresses and their exceptions, together. */
  blocks: 16_384,
  /** Selectors of peers. */
  selectors: 1_024,
  /** Of the texts of these selectors, each once: every address that one means is compared with it. */
  characters: 131_072,
  rules: 4_096,
  /** Entries of all lists of ports. */
  ports: 4_096,
  /** How many of these for the source. */
  sourcePorts: 256,
} as const;

type Counts = Record<keyof typeof POLICY_LIMITS, number>;

const WORDS: Record<keyof typeof POLICY_LIMITS, string> = {
  blocks: "ipBlocks and exceptions",
  selectors: "peers by selectors",
  characters: "characters in selectors of peers",
  rules: "rules",
  ports: "ports",
  sourcePorts: "source ports",
};

/** The limit that the policy exceeds, in words; undefined if it exceeds none. */
export function overLimit(policy: CompiledPolicy): string | undefined {
  const counts = countsOf(policy);
  const names = Object.keys(POLICY_LIMITS) as (keyof Counts)[];
  const over = names.find((name) => counts[name] > POLICY_LIMITS[name]);
  return over && `has ${counts[over]} ${WORDS[over]}; one ${policy.kind} may have ${POLICY_LIMITS[over]}`;
}

function countsOf({ ingress = [], egress = [], selectors, ownSelectors }: CompiledPolicy): Counts {
  const characters = [...selectors, ...ownSelectors.values()].reduce((sum, { text }) => sum + text.length, 0);
  const counts = {
    blocks: 0,
    selectors: 0,
    characters,
    rules: ingress.length + egress.length,
    ports: 0,
    sourcePorts: 0,
  };
  for (const rule of [...ingress, ...egress]) {
    const { sourcePorts = [], notSourcePorts = [], peers = [], here = {} } = rule;
    counts.ports += portsOf(rule);
    counts.sourcePorts += sourcePorts.length + notSourcePorts.length;
    for (const peer of [...peers, here]) {
      counts.blocks += cidrsOf(peer);
      counts.selectors += selectorsOf(peer);
    }
  }
  return counts;
}

function portsOf({ ports = [], notPorts = [], sourcePorts = [], notSourcePorts = [] }: Rule): number {
  return ports.length + notPorts.length + sourcePorts.length + notSourcePorts.length;
}

function cidrsOf({ cidrs = [], except = [] }: PeerMatch): number {
  return cidrs.length + except.length;
}

function selectorsOf({ selectors = [], notSelectors = [] }: PeerMatch): number {
  return selectors.length + notSelectors.length;
}

/** The form of the policy while it is too large: its pods are isolated in its directions, and it allows nothing. */
export function closed(policy: CompiledPolicy, why: string, next = "split it, or name larger blocks"): CompiledPolicy {
  const { kind, namespace, name, ingress, egress } = policy;
  const message = `${why}. It isolates its pods and allows nothing until it is smaller. Next: ${next}.`;
  const problem: Problem = { kind, namespace, name, path: "spec", message };
  const refusal: Rule = { verdict: "deny", reason: `${policy.owner}, which ${why}` };
  // If the policy only allows, other policies may still allow. If it refuses or passes, no policy after it may be asked.
  const instead = (rules: readonly Rule[]) => (rules.every(({ verdict }) => verdict === "allow") ? [] : [refusal]);
  return {
    ...policy,
    ...(ingress && { ingress: instead(ingress) }),
    ...(egress && { egress: instead(egress) }),
    selectors: [],
    ownSelectors: new Map(),
    services: [],
    text: `closed, ${why}`,
    closed: true,
    problems: [...policy.problems, problem],
  };
}

/** What a policy takes of the map `policies`, roughly. */
export function entriesOf({ ingress = [], egress = [] }: CompiledPolicy): number {
  let weight = 0;
  for (const rule of [...ingress, ...egress]) {
    const named = (rule.peers ?? []).reduce((sum, peer) => sum + cidrsOf(peer) + selectorsOf(peer), 1);
    weight += named * (1 + portsOf(rule));
  }
  return weight;
}

/** The blocks of addresses that its rules name, with their exceptions. */
export function blocksOf({ ingress = [], egress = [] }: CompiledPolicy): number {
  return [...ingress, ...egress].reduce(
    (sum, { peers = [] }) => peers.reduce((all, peer) => all + cidrsOf(peer), sum),
    0,
  );
}
