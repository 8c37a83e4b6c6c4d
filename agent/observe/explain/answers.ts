import type { Address } from "../../../model/address/address.ts";
import type { TierAnswer } from "../../../model/policy/explain.ts";
import type { ExplainedVerdict } from "../flows/staged-verdicts.ts";

/** A flow before translation: `to` may be a service's address. */
export interface Asked {
  readonly from: Address;
  readonly to: Address;
  readonly protocol: number;
  /** Of ICMP: type << 8 | code. */
  readonly port: number;
  readonly sourcePort: number;
}

/** The verdict of the policy of one end of the flow. */
export interface EndAnswer {
  readonly direction: "egress" | "ingress";
  readonly node: string;
  /** "pod shop/web" */
  readonly end: string;
  /** The objects that apply to it. */
  readonly policies: string;
  /** How policies can refer to the other end: its selectors and blocks. */
  readonly peer: readonly string[];
  readonly tiers: readonly TierAnswer[];
  readonly verdict: "allow" | "deny";
  /** The reason of a denial, or of a flow that no tier decides. */
  readonly reason: string;
  /** The maps differ at the moment: a change is not written yet. */
  readonly differs?: true;
  /** The end is the node, or an interface of it. */
  readonly isNode?: true;
  /** For policies that are asked before others: none of their rules decides. */
  readonly undecided?: true;
}

/** One way that the flow can take. */
export interface WayAnswer {
  readonly to: { readonly address: Address; readonly port: number; readonly name: string };
  /** "to node node, wrapped in VXLAN"; absent where the flow begins on another node. */
  readonly route?: string;
  /** What staged policies would decide; absent: none is staged. */
  readonly staged?: ExplainedVerdict;
  /** The verdicts of the ends on this node. */
  readonly ends: readonly EndAnswer[];
}

export interface NodeAnswer {
  readonly node: string;
  readonly from: { readonly address: Address; readonly name: string };
  /** "default/web:http"; absent: on this node the address belongs to no service. */
  readonly service?: string;
  /** Of a Service with source ranges. */
  readonly sourceRanges?: { readonly ranges: readonly string[]; readonly allows: boolean };
  /** One for each backend of a service, at most `MOST_BACKENDS`; none: the service has none, and refuses. */
  readonly ways: readonly WayAnswer[];
}
