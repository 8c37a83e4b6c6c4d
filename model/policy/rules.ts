// What every kind of policy is compiled to before addresses and numbers come in: tiers of ordered rules, of which the first that
// matches decides.

/** "log" notes the packet and leaves the decision to the next rule; "pass" leaves it to the next tier. */
export type RuleVerdict = "allow" | "deny" | "pass" | "log";
export type Verdict = "allow" | "deny";

/** Ports [first, last] of a protocol, or a container port's name, which is resolved on the pod whose port it is; Calico's names are also those of host
 * endpoints' ports. Of ICMP and ICMPv6
 * (protocols 1 and 58) a port is `type << 8 | code`. A protocol without ports has port 0. */
export type PortMatch =
  | { readonly protocol: number; readonly first: number; readonly last: number }
  | { readonly protocol: number; readonly name: string; readonly isAlsoOfHosts?: true };

/** The peer. All conditions must hold; an absent condition holds for every peer. */
export interface PeerMatch {
  /** Texts of selectors (workload-selector.ts), all of which select it. */
  readonly selectors?: readonly string[];
  /** None of these selectors may select it. */
  readonly notSelectors?: readonly string[];
  /** Its address is in one of these blocks; an empty list matches no peer. */
  readonly cidrs?: readonly string[];
  /** And in none of these. */
  readonly except?: readonly string[];
}

/** Absent peers: any peer. Absent ports: every port of every protocol. An empty list of them matches nothing. */
export interface Rule {
  readonly verdict: RuleVerdict;
  /** What a person reads where the rule refuses or logs something: "tier security, GlobalNetworkPolicy deny-db, ingress rule 2". */
  readonly reason: string;
  /** One of them must match. */
  readonly peers?: readonly PeerMatch[];
  /** Of the destination: one of `ports` must match, and none of `notPorts`. */
  readonly ports?: readonly PortMatch[];
  readonly notPorts?: readonly PortMatch[];
  /** The same of the source. */
  readonly sourcePorts?: readonly PortMatch[];
  readonly notSourcePorts?: readonly PortMatch[];
}

/** A rule that passes, or a tier without a match that ends in "pass", leaves the decision to the next tier. */
export interface Tier {
  readonly name: string;
  /** Tiers are asked in ascending order, of two alike the one whose name sorts first. Infinity: last. */
  readonly order: number;
  readonly rules: readonly Rule[];
  readonly otherwise: "deny" | "pass";
  /** What a person reads where the end of the tier refuses something. */
  readonly reason: string;
}

/** What is decided, and why where it refuses. */
export interface Decision {
  readonly verdict: Verdict;
  /** Of a denial. */
  readonly reason?: string;
  /** The rules with the action Log that matched before: the first of each tier, "… and …". */
  readonly log?: string;
  /** For policies that are asked before others: none of their rules decides, so the others are asked. */
  readonly undecided?: true;
}

/** What holds after the last tier. */
export const OPEN: Decision = { verdict: "allow" };

/** The same for policies that are asked before others, whatever the default actions of their tiers are. */
export const UNDECIDED: Decision = { verdict: "allow", undecided: true };

export function decisionText({ verdict, reason, log, undecided }: Decision): string {
  const said = `${undecided ? "go on" : verdict}${reason === undefined ? "" : `: ${reason}`}`;
  return `${log === undefined ? "" : `log by ${log} and `}${said}`;
}
