// What every kind of policy is compiled to before addresses and numbers come in: tiers of ordered rules, of which the
// first that matches decides. Kubernetes NetworkPolicy uses one tier of allows; order, Deny and Pass are there because
// the packet path's form (bpf/shared/policy.h) does not depend on them and other kinds need them.

export type RuleVerdict = "allow" | "deny" | "pass";
export type Verdict = "allow" | "deny";

/** Destination ports; `name` is a container port's name, resolved on the destination pod. */
export type PortMatch =
  | { readonly protocol: number; readonly first: number; readonly last: number }
  | { readonly protocol: number; readonly name: string };

/** Who is on the other side: pods by selector (its text), or addresses in a block and in none of `except`. */
export type PeerMatch = { readonly selector: string } | { readonly cidr: string; readonly except: readonly string[] };

/** Absent peers: anybody. Absent ports: every port of every protocol; an empty list matches nothing. */
export interface Rule {
  readonly verdict: RuleVerdict;
  readonly peers?: readonly PeerMatch[];
  readonly ports?: readonly PortMatch[];
}

/** A rule that passes, or a tier without a match that ends in "pass", leaves the decision to the next tier. After the
 * last one the packet is dropped: tiers exist only where something isolates the endpoint. */
export interface Tier {
  readonly rules: readonly Rule[];
  readonly otherwise: "deny" | "pass";
}
