import type { Flow } from "../../agent/observe/events/flow.ts";

/** Maximum time between two nodes' events of the same connection, ms. */
const TOGETHER_MS = 3000;

/** A connection or a refused packet, merged from all nodes that reported it. */
export interface MergedFlow {
  at: number;
  flow: Flow;
  /** The node where it entered or began first. */
  nodes: string[];
}

/**
 * Merges several nodes' events of one connection: the node where it enters and its backend's, or the sender's and the
 * receiver's; and the socket that was given a backend, with the packets that went there.
 */
export class MergedFlows {
  #lately: MergedFlow[] = [];

  /** @returns the connection of the flow, and whether this is its first event */
  add(flow: Flow, now: number): { merged: MergedFlow; first: boolean } {
    this.#lately = this.#lately.filter(({ at }) => at > now - TOGETHER_MS);
    const known = flow.verdict === "opened" ? this.#lately.find((merged) => join(merged, flow)) : undefined;
    if (known) return { merged: known, first: false };
    const merged = { at: now, flow, nodes: [flow.node] };
    if (flow.verdict === "opened") this.#lately.push(merged);
    return { merged, first: true };
  }
}

/** Adds a flow to a known connection, if it is the same. */
function join(merged: MergedFlow, flow: Flow): boolean {
  const known = merged.flow;
  const staged = flow.staged ?? known.staged;
  const mark = staged ? { staged } : {};
  if (isSame(known, flow)) {
    const before = flow.role === "entry" || (known.role !== "entry" && flow.time < known.time);
    merged.flow = before ? { ...flow, ...asked(known), ...mark } : { ...known, ...mark };
    merged.nodes = inTurn(before ? [flow.node, ...merged.nodes] : [...merged.nodes, flow.node]);
    return true;
  }
  if (!isAnswerOf(known, flow) && !isAnswerOf(flow, known)) return false;
  const [socket, packets] = known.socket ? [known, flow] : [flow, known];
  merged.flow = { ...packets, ...asked(socket), ...mark };
  merged.nodes = inTurn([socket.node, ...merged.nodes, flow.node]);
  return true;
}

const inTurn = (nodes: string[]): string[] => [...new Set(nodes)];

/** The service that a socket asked for, and what it was given. */
function asked({ service, to, backend }: Flow): Partial<Flow> {
  return service && backend ? { service, to, backend } : {};
}

function isSame(one: Flow, other: Flow): boolean {
  const same = (a: Flow["to"] | undefined, b: Flow["to"] | undefined) =>
    a?.address === b?.address && a?.port === b?.port;
  if (!one.client || one.protocol !== other.protocol || !same(one.client, other.client)) return false;
  return same(one.to, other.to) || same(one.backend, other.to) || same(one.to, other.backend);
}

/** Whether these packets go where a socket was sent, and nobody asked for them yet. */
function isAnswerOf({ socket, backend, protocol }: Flow, packets: Flow): boolean {
  return (
    socket === true &&
    packets.client !== undefined &&
    packets.service === undefined &&
    protocol === packets.protocol &&
    backend?.address === packets.to.address &&
    backend.port === packets.to.port
  );
}
