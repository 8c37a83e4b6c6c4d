import type { Address } from "../address/address.ts";
import type { FlowRecord } from "./record.ts";
import type { SeenFlow } from "./seen.ts";

/** What policies say of a flow. depends: on an address, or on what the log does not say. */
export interface Judged {
  readonly verdict: "allowed" | "denied" | "depends";
  /** Of a denial or an open question. */
  readonly reason?: string;
}

/** The part of a flow that policies can tell. */
export interface JudgedFlow extends Pick<SeenFlow, "from" | "to" | "protocol" | "port" | "icmp" | "isOwnNode"> {
  /** Which ends are on the node that reports it; absent: on several, or not known. */
  readonly at?: FlowRecord["at"] | undefined;
  /** What the client may have used, where that was translated. */
  readonly written?: readonly WrittenTo[];
  /** Whether another node has sent it on to here; absent: that is not known. */
  readonly isFromEntry?: boolean;
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
