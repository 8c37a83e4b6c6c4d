import { type Address, hostCidr } from "../../../model/address/address.ts";
import { FlowJudge } from "../../../model/flow/judge.ts";
import type { Judged, JudgedEnd, JudgedFlow } from "../../../model/flow/judged.ts";
import type { FlowEnd } from "../../../model/flow/record.ts";
import type { Ends } from "./ends.ts";
import { flowTarget, type OpenedFlow, placeOf } from "./observe.ts";
import type { Staging } from "./staged.ts";

/** The decision of staged policies about a flow. */
export interface StagedVerdict extends Judged {
  /** Whether the policies in force decide otherwise. */
  readonly differs: boolean;
}

/** The same for a person. */
export interface ExplainedVerdict extends StagedVerdict {
  /** The ends whose answer would change: what they would answer, tier by tier. */
  readonly ends: readonly JudgedEnd[];
}

interface Parts {
  /** This node's name. */
  readonly node: string;
  readonly ends: Pick<Ends, "inside" | "isOn">;
  /** The same object while the policies are the same; undefined: none is staged. */
  readonly staging: () => Staging | undefined;
  /** Milliseconds, for tests. */
  readonly now?: () => number;
}

/** Whether a node's address is known here, other than in a log. */
function oneAddress(end: FlowEnd | undefined, address: Address): FlowEnd | undefined {
  return end?.kind === "node" ? { ...end, addresses: [address] } : end;
}

/** How many workloads are known at a time; with more, all are learnt again. */
const MOST_ENDS = 2048;
/** At most this part of the time is spent on learning workloads: one in so many. */
const PART = 20;

/** Judges flows between addresses by the staged policies, one by one. Without staged policies it costs nothing. A judge knows the workloads
 * that it was made with; one with another is made when there was time enough since the last. */
export class StagedVerdicts {
  readonly #parts: Parts;
  #staging: Staging | undefined;
  #ends = new Map<string, FlowEnd>();
  #judges: { readonly inForce: FlowJudge; readonly staged: FlowJudge } | undefined;
  #notBefore = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** undefined: no policy is staged, or there was no time. @param atOnce answers even if there was little time: a person asks */
  of(opened: OpenedFlow, atOnce = false): StagedVerdict | undefined {
    const judging = this.#judging(opened, atOnce);
    if (!judging) return undefined;
    const { flow, inForce, staged } = judging;
    const [now, then] = [inForce.judge(flow), staged.judge(flow)];
    return { ...then, differs: now.verdict !== then.verdict };
  }

  /** The staged decision, and the policies that make it. undefined: no policy is staged. */
  explain(opened: OpenedFlow): ExplainedVerdict | undefined {
    const judging = this.#judging(opened, true);
    if (!judging) return undefined;
    const { flow, inForce, staged } = judging;
    const [now, then] = [inForce.judge(flow), staged.judge(flow)];
    const ends = changedEnds(inForce.explain(flow), staged.explain(flow));
    return { ...then, differs: now.verdict !== then.verdict, ends };
  }

  #judging(opened: OpenedFlow, atOnce: boolean) {
    const staging = this.#parts.staging();
    if (staging !== this.#staging) {
      this.#staging = staging;
      this.#judges = undefined;
    }
    if (!staging) return undefined;
    const flow = this.#flow(opened, atOnce);
    if (!atOnce && flow.at === "transit" && !staging.now.hosts) return undefined;
    const judges = this.#judgesFor([flow.from, flow.to], staging, atOnce);
    return judges && { flow, ...judges };
  }

  /** @param isAsked the flow need not pass this node */
  #flow(opened: OpenedFlow, isAsked: boolean): JudgedFlow {
    const { node, ends } = this.#parts;
    const end = (address: Address): FlowEnd =>
      oneAddress(ends.inside(address)?.end, address) ?? { kind: "network", cidr: hostCidr(address).text };
    const { client, server, used, isFromEntry, sourcePort } = opened;
    const [from, to] = [end(client), end(server)];
    const at = placeOf(node, ends, client, server);
    const passes = at !== "transit" || !isAsked || (used !== undefined && ends.isOn(node, used.destination));
    return {
      ...{ from, to, at: passes ? at : undefined, ...flowTarget(opened.protocol, opened.port) },
      ...(used && { written: [{ address: used.destination, port: used.destinationPort }] }),
      ...(sourcePort !== undefined && { sourcePort }),
      isFromEntry: isFromEntry ?? false,
      isOwnNode: from.kind === "node" && at === "both",
    };
  }

  #judgesFor(ends: readonly FlowEnd[], staging: Staging, atOnce: boolean) {
    const named = ends.filter(({ kind }) => kind === "pods").map((end) => [JSON.stringify(end), end] as const);
    const unknown = named.filter(([key]) => !this.#ends.has(key));
    if (this.#judges && unknown.length === 0) return this.#judges;
    const clock = this.#parts.now ?? (() => performance.now());
    const begin = clock();
    if (begin < this.#notBefore && !atOnce) return undefined;
    if (this.#ends.size + unknown.length > MOST_ENDS) this.#ends = new Map();
    for (const [key, end] of named) this.#ends.set(key, end);
    const flows = [...this.#ends.values()].map((end) => ({ from: end, to: end }));
    const { now, staged } = staging;
    const then = new FlowJudge({ ...now, policies: staged }, flows);
    this.#judges = { inForce: new FlowJudge(now, flows), staged: then };
    const end = clock();
    this.#notBefore = end + (end - begin) * PART;
    return this.#judges;
  }
}

/** The staged answer of each end, if it differs from the current one; an end that would have no policies any more is open. */
function changedEnds(now: readonly JudgedEnd[], then: readonly JudgedEnd[]): JudgedEnd[] {
  const said = new Set(now.map((end) => JSON.stringify(end)));
  const keyOf = ({ direction, end }: JudgedEnd) => `${direction} ${end}`;
  const left = new Set(then.map(keyOf));
  const open = now
    .filter((end) => !left.has(keyOf(end)))
    .map(({ direction, end }): JudgedEnd => ({ direction, end, policies: "", tiers: [], verdict: "allowed" }));
  return [...then.filter((end) => !said.has(JSON.stringify(end))), ...open];
}
