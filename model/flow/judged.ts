import type { Address } from "../address/address.ts";
import type { TierAnswer } from "../policy/explain.ts";
import type { FlowRecord } from "./record.ts";
import type { SeenFlow } from "./seen.ts";

/** What policies say of a flow. depends: on an address, or on what the log does not say. */
export interface Judged {
  readonly verdict: "allowed" | "denied" | "depends";
  /** Of a denial or an open question. */
  readonly reason?: string;
}

/** What the policies of one end say, or those of a host endpoint that is asked on the way. */
export interface JudgedEnd extends Judged {
  readonly direction: "ingress" | "egress";
  /** "pods of shop/web", "HostEndpoint edge, before translation" */
  readonly end: string;
  /** The objects that apply to it. */
  readonly policies: string;
  /** In the order in which they are asked; the last one decided, unless all passed. */
  readonly tiers: readonly TierAnswer[];
  /** Of policies that are asked before others: none of their rules decides. */
  readonly undecided?: true;
}

/** The part of a flow that policies can tell. */
export interface JudgedFlow extends Pick<SeenFlow, "from" | "to" | "protocol" | "port" | "icmp" | "isOwnNode"> {
  /** Which ends are on the node that reports it; absent: on several, or not known. */
  readonly at?: FlowRecord["at"] | undefined;
  /** What the client may have used, where that was translated. */
  readonly written?: readonly WrittenTo[];
  /** Whether another node has sent it on to here; absent: that is not known. */
  readonly isFromEntry?: boolean;
  /** Absent: any. */
  readonly sourcePort?: number;
}

/** What a client used. */
export interface WrittenTo {
  readonly address: Address;
  readonly port: number;
}

const ALLOWED: Judged = { verdict: "allowed" };

/** Of what several say: one that denies is enough. */
export function strictest(said: readonly Judged[]): Judged {
  const first = (wanted: Judged["verdict"]) => said.find(({ verdict }) => verdict === wanted);
  return first("denied") ?? first("depends") ?? ALLOWED;
}

/** Of what may be one or the other: only what all say is sure. */
export function eitherOf(said: readonly Judged[]): Judged {
  const [first] = said;
  const other = said.find(({ verdict }) => verdict !== "allowed");
  if (!first || !other) return ALLOWED;
  return said.every(({ verdict }) => verdict === "denied") ? first : { ...other, verdict: "depends" };
}
