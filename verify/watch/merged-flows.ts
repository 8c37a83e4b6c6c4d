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
  readonly #lately = new Set<MergedFlow>();
  /** The keys by which a flow looks for its counterpart. */
  readonly #byKey = new Map<string, Set<MergedFlow>>();
  readonly #keys = new WeakMap<MergedFlow, readonly string[]>();

  /** @returns the connection of the flow, and whether this is its first event */
  add(flow: Flow, now: number): { merged: MergedFlow; first: boolean } {
    for (const old of this.#lately) {
      if (old.at > now - TOGETHER_MS) break;
      this.#forget(old);
    }
    if (flow.verdict !== "opened") return { merged: { at: now, flow, nodes: [flow.node] }, first: true };
    const candidates = soughtBy(flow).flatMap((key) => [...(this.#byKey.get(key) ?? [])]);
    const recent = candidates.filter(({ at }) => at > now - TOGETHER_MS).sort((a, b) => a.at - b.at);
    const known = recent.find((merged) => join(merged, flow));
    const merged = known ?? { at: now, flow, nodes: [flow.node] };
    this.#remember(merged);
    return { merged, first: !known };
  }

  #remember(merged: MergedFlow): void {
    this.#forget(merged);
    this.#lately.add(merged);
    const keys = keysOf(merged.flow);
    this.#keys.set(merged, keys);
    for (const key of keys) this.#byKey.set(key, (this.#byKey.get(key) ?? new Set()).add(merged));
  }

  #forget(merged: MergedFlow): void {
    this.#lately.delete(merged);
    for (const key of this.#keys.get(merged) ?? []) {
      const all = this.#byKey.get(key);
      all?.delete(merged);
      if (all?.size === 0) this.#byKey.delete(key);
    }
  }
}

/** The keys under which a flow is found: by its sender, and by the backend that a socket was given until packets went there. */
function keysOf({ client, protocol, to, backend, socket, service }: Flow): string[] {
  return [
    ...(client ? [`from ${protocol} ${client.address} ${client.port}`] : []),
    ...(socket && backend ? [`socket ${protocol} ${backend.address} ${backend.port}`] : []),
    ...(!socket && service === undefined ? [`packets ${protocol} ${to.address} ${to.port}`] : []),
  ];
}

/** Where a flow that may be the same is found. */
function soughtBy(flow: Flow): string[] {
  const other = (key: string) =>
    key.replace(/^(socket|packets) /, (word) => (word === "socket " ? "packets " : "socket "));
  return keysOf(flow).map(other);
}

/** Adds a flow to a known connection, if it is the same. */
function join(merged: MergedFlow, flow: Flow): boolean {
  const known = merged.flow;
  // Each node judges by its own host endpoints: one refusal is enough.
  const staged = known.staged?.verdict === "denied" ? known.staged : (flow.staged ?? known.staged);
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
