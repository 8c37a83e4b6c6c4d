import type { Address } from "../../../model/address/address.ts";
import type { TierAnswer } from "../../../model/policy/explain.ts";
import type { ExplainedVerdict } from "../flows/staged-verdicts.ts";

/** A flow before translation: `to` may be a service's. */
export interface Asked {
  readonly from: Address;
  readonly to: Address;
  readonly protocol: number;
  /** Of ICMP: type << 8 | code. */
  readonly port: number;
  readonly sourcePort: number;
}

/** What the policy of one end of the flow says. */
export interface EndAnswer {
  readonly direction: "egress" | "ingress";
  readonly node: string;
  /** "pod shop/web" */
  readonly end: string;
  /** The objects that apply to it. */
  readonly policies: string;
  /** What policies can tell of the other end: its selectors and blocks. */
  readonly peer: readonly string[];
  readonly tiers: readonly TierAnswer[];
  readonly verdict: "allow" | "deny";
  /** Of a denial, and of what no tier decided. */
  readonly reason: string;
  /** The maps say something else at the moment: a change is not written yet. */
  readonly differs?: true;
  /** The end is the node, or an interface of it. */
  readonly isNode?: true;
  /** Of policies that are asked before others: none of their rules decides. */
  readonly undecided?: true;
}

/** One way that the flow can take. */
export interface WayAnswer {
  readonly to: { readonly address: Address; readonly port: number; readonly name: string };
  /** "to node node, wrapped in VXLAN"; absent where the flow begins on another node. */
  readonly route?: string;
  /** What staged policies would decide; absent: none is staged. */
  readonly staged?: ExplainedVerdict;
  /** Of the ends on this node. */
  readonly ends: readonly EndAnswer[];
}

export interface NodeAnswer {
  readonly node: string;
  readonly from: { readonly address: Address; readonly name: string };
  /** "default/web:http"; absent: it is no service's address here. */
  readonly service?: string;
  /** Of a Service with source ranges. */
  readonly sourceRanges?: { readonly ranges: readonly string[]; readonly allows: boolean };
  /** One for each backend of a service, at most `MOST_BACKENDS`; none: the service has none, and refuses. */
  readonly ways: readonly WayAnswer[];
}
