import type { End, Flow } from "../../../agent/observe/events/flow.ts";
import { isRefused } from "../../../agent/observe/events/flow-filter.ts";
import { type MergedFlow, MergedFlows } from "../merged-flows.ts";
import { endName, ownerName, ruleName } from "../short-line.ts";

/** Who talks to whom, by names. */
export interface Edge {
  readonly from: string;
  /** The Service that was asked for, or what was addressed without one. */
  readonly to: string;
  /** Whether `to` is a Service. */
  readonly service: boolean;
  /** The pod that answers for the Service. */
  readonly backends: readonly string[];
  readonly opened: number;
  readonly refused: number;
  /** Of the last refusal: the policy, or the reason. */
  readonly why?: string;
}

/** One connection or refused packet. */
export interface FlowRow {
  readonly number: number;
  readonly time: string;
  readonly nodes: string;
  readonly protocol: string;
  readonly from: string;
  readonly to: string;
  readonly backend?: string;
  readonly refused: boolean;
  readonly why?: string;
}

export interface Snapshot {
  readonly title: string;
  readonly edges: readonly Edge[];
  /** The latest first. */
  readonly flows: readonly FlowRow[];
  /** Refused flows, the latest first. */
  readonly drops: readonly FlowRow[];
  /** Pairs that were seen, but have made room for later ones. */
  readonly forgotten: number;
}

interface Counted {
  readonly from: string;
  readonly to: string;
  readonly service: boolean;
  readonly backends: Set<string>;
  opened: number;
  refused: number;
  why?: string;
}

/** A scan from outside must not fill the memory, nor the browser's. */
const MOST_EDGES = 200;
const MOST_BACKENDS = 8;
const ROWS = 100;
const UNKNOWN = "a socket";

/** The flows of a cluster as pairs of names, with the latest ones. */
export class FlowMap {
  readonly #merged = new MergedFlows();
  readonly #edges = new Map<string, Counted>();
  readonly #of = new WeakMap<MergedFlow, { edge: Counted; key: string }>();
  readonly #recent: { merged: MergedFlow; number: number }[] = [];
  readonly #drops: { merged: MergedFlow; number: number }[] = [];
  #number = 0;
  #forgotten = 0;

  /** @param at milliseconds */
  add(flow: Flow, at: number): void {
    const { merged, first } = this.#merged.add(flow, at);
    const key = keyOf(merged.flow);
    const before = this.#of.get(merged);
    // The report of another node may name the owner.
    if (before && before.key !== key) this.#takeBack(before);
    if (!before || before.key !== key) {
      const edge = this.#edge(key, merged.flow);
      count(edge, merged.flow);
      this.#of.set(merged, { edge, key });
    }
    const edge = this.#of.get(merged)?.edge;
    if (edge?.service && merged.flow.backend && edge.backends.size < MOST_BACKENDS)
      edge.backends.add(endName(merged.flow.backend));
    if (!first) return;
    const row = { merged, number: ++this.#number };
    keep(this.#recent, row);
    if (isRefused(flow)) keep(this.#drops, row);
  }

  snapshot(title: string): Snapshot {
    return {
      title,
      edges: [...this.#edges.values()]
        .sort((a, b) => b.opened + b.refused - a.opened - a.refused)
        .map((edge) => ({ ...edge, backends: [...edge.backends] })),
      flows: this.#recent.map(rowOf).reverse(),
      drops: this.#drops.map(rowOf).reverse(),
      forgotten: this.#forgotten,
    };
  }

  #takeBack({ edge, key }: { edge: Counted; key: string }): void {
    edge.opened--;
    if (edge.opened + edge.refused === 0 && this.#edges.get(key) === edge) this.#edges.delete(key);
  }

  #edge(key: string, flow: Flow): Counted {
    const known = this.#edges.get(key);
    this.#edges.delete(key); // the one that was seen last is the last one
    const edge = known ?? {
      ...{ from: fromOf(flow), to: toOf(flow), service: flow.service !== undefined },
      ...{ backends: new Set<string>(), opened: 0, refused: 0 },
    };
    this.#edges.set(key, edge);
    if (this.#edges.size > MOST_EDGES) {
      this.#edges.delete(this.#edges.keys().next().value ?? "");
      this.#forgotten++;
    }
    return edge;
  }
}

function count(edge: Counted, flow: Flow): void {
  if (flow.verdict === "opened") edge.opened++;
  if (!isRefused(flow)) return;
  edge.refused++;
  edge.why = whyOf(flow);
}

function keep<T>(rows: T[], row: T): void {
  if (rows.push(row) > ROWS) rows.shift();
}

const keyOf = (flow: Flow) => JSON.stringify([fromOf(flow), toOf(flow), flow.service !== undefined]);
const fromOf = ({ client }: Flow) => (client ? (ownerName(client) ?? client.address) : UNKNOWN);
const toOf = ({ service, to }: Flow) => service ?? targetName(to);
const targetName = (to: End) => (to.name ? `${ownerName(to)}:${to.port}` : endName(to));
const whyOf = ({ rule, reason, verdict }: Flow) => (rule ? ruleName(rule) : (reason ?? verdict));

function rowOf({ merged: { flow, nodes }, number }: { merged: MergedFlow; number: number }): FlowRow {
  const shown = flow.verdict !== "opened";
  return {
    number,
    time: flow.time.slice(11, 19),
    nodes: nodes.join(" > "),
    protocol: flow.protocol,
    from: flow.client ? endName(flow.client) : UNKNOWN,
    to: toOf(flow),
    ...(flow.backend && flow.service && { backend: endName(flow.backend) }),
    refused: isRefused(flow),
    ...(shown && { why: whyOf(flow) }),
  };
}
