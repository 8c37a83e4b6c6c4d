import { setTimeout as pause } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import type { End, Flow } from "../../agent/observe/events/flow.ts";
import { type FlowQuery, queryOptions } from "../../agent/observe/events/flow-query.ts";
import type { FlowLine } from "../../agent/observe/events/flow-stream.ts";
import { historyText, lostText } from "../../agent/observe/inspect/flow-line.ts";
import { listObjects } from "../../kubernetes/get.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { agentOn, nodeAddresses } from "../cluster/view.ts";
import { machineAddresses } from "../engine/lookup.ts";
import type { Machine } from "../engine/world.ts";
import { type ClusterOptions, inspectNode, noAgent, type Reached, reachCluster } from "./agents.ts";
import { askedOf } from "./filter-names.ts";
import { FlowOrder } from "./flow-order.ts";
import { followNodes } from "./follow-nodes.ts";
import { readKnown } from "./known-names.ts";
import { Began, onceBegun, Past, Silences } from "./past.ts";
import { readFlowLine } from "./read-flow-line.ts";

export interface WatchOptions extends ClusterOptions, FlowQuery {
  json: boolean;
  /** A page for a browser, at this port; true: at any. */
  page?: number | true;
  /** Ends by itself after this time; without it, on Ctrl-C. */
  seconds?: number;
}

export interface FlowSource {
  /** The nodes that are read, and the question to them. */
  title(): string;
  stop(): Promise<void>;
}

interface Receiver {
  /** @param at when it happened, as `performance.now()` would have said */
  add(flow: Flow, at: number): void;
  note(text: string): void;
}

/** Reads the flows of the agents of all nodes. @throws NoCluster, FormatError for a name that nothing has */
export async function openFlows(options: WatchOptions, receiver: Receiver): Promise<FlowSource> {
  const reached = await reachCluster(options);
  const { api, view, lab } = reached;
  const asked = withoutNoise(options, reached);
  const query = askedOf(asked, await readKnown(reached, asked));
  const nodes = view.nodes.map(({ metadata }) => metadata?.name ?? "").filter((node) => agentOn(view, node));
  if (nodes.length === 0) throw noAgent(reached);
  const named = machineNames(lab.machines);
  const past = new Past();
  const deliver = (flow: Flow, heard = momentOf(flow)) => receiver.add(named(flow), heard);
  const order = new FlowOrder(query.since ? nodes : [], deliver);
  const began = new Began(query.since ? nodes : []);
  const note = onceBegun(began.done, receiver.note);
  const told = (node: string, problem?: string) => {
    silences.told(node);
    order.told(node);
    began.told(node, problem);
  };
  const silences = new Silences(query.since ? nodes : [], (node, problem, wasTelling) => {
    note(`${problem}; ${wasTelling ? "what it told is shown" : "the others are shown without it"}`);
    told(node, wasTelling ? undefined : problem);
  });
  const hear = (node: string, line: FlowLine) => {
    silences.heard(node);
    if ("history" in line) {
      past.add(line);
      note(historyText(line));
      told(node);
    } else if ("lost" in line) note(lostText(line));
    else order.add(node, line);
  };
  const asking = new Set(nodes);
  const connect = async (node: string) => {
    const isFirst = asking.delete(node);
    const pod = agentOn(isFirst ? view : { ...view, pods: await podsOn(api, view.agentNamespace, node) }, node);
    if (!pod) throw new Error(`node ${node}: no agent runs there`);
    // An agent to which the connection is renewed has no past that was not shown, or is another agent.
    const words = ["flows", ...queryOptions(isFirst ? query : { ...query, since: undefined })];
    const telling = await inspectNode(api, node, pod, words, (line) => hear(node, readFlowLine(line, node))).catch(
      (error) => {
        told(node, error.message);
        throw error;
      },
    );
    telling.ended.then(
      () => told(node),
      (error: Error) => told(node, error.message),
    );
    return telling;
  };
  const followed = await followNodes(nodes, {
    connect,
    note,
    pause: (ms) => pause(ms, undefined, { ref: false }),
  });
  await began.done.catch(async (error) => {
    await followed.stop();
    throw error;
  });
  return {
    title: () => titleOf(nodes, followed.silent, asked, past.text(order.dropped)),
    stop: followed.stop,
  };
}

/** Of a flow of the past, as the clocks of its node and of this computer say. */
function momentOf({ time }: Flow): number {
  return performance.now() - Math.max(0, Date.now() - Date.parse(time));
}

/** In the lab, pods ask a DNS server outside all the time, and nothing answers: these flows are hidden unless they are asked for. */
function withoutNoise(
  { from, to, service, namespace, policy, refused, since, dns }: WatchOptions,
  reached: Reached,
): FlowQuery {
  return { from, to, service, namespace, policy, refused, since, dns: dns ?? !isLab(reached) };
}

function isLab({ view, lab }: Reached): boolean {
  const addresses = lab.machines.flatMap(machineAddresses);
  return view.nodes.every((node) => nodeAddresses(node).some((address) => addresses.includes(address)));
}

/** Only that node's pods: after a restart of the API server all nodes are asked again, in a large cluster many at once. */
const podsOn = (api: Api, namespace: string, node: string) =>
  listObjects<V1Pod>(api, `/api/v1/namespaces/${namespace}/pods`, { fieldSelector: `spec.nodeName=${node}` });

/** Names addresses outside the cluster after the machines that have them. */
function machineNames(machines: readonly Machine[]): (flow: Flow) => Flow {
  const names = new Map(
    machines.flatMap((one) => machineAddresses(one).map((address) => [address, one.name] as const)),
  );
  const named = (end: End): End => {
    const name = end.name === undefined ? names.get(end.address) : undefined;
    return name === undefined ? end : { ...end, name: `machine ${name}` };
  };
  return (flow: Flow): Flow => ({
    ...flow,
    ...(flow.client && { client: named(flow.client) }),
    to: named(flow.to),
    ...(flow.backend && { backend: named(flow.backend) }),
  });
}

function titleOf(
  nodes: readonly string[],
  silent: ReadonlyMap<string, string>,
  query: FlowQuery,
  past: string,
): string {
  const { from = [], to = [], service = [], namespace = [], policy = [], refused, dns, since } = query;
  const lists = Object.entries({ from, to, service, namespace, policy }).flatMap(([name, words]) =>
    words.length > 0 ? [`${name} ${words.join(" or ")}`] : [],
  );
  return [
    nodes.length === 1 ? `node ${nodes[0]}` : `${nodes.length} nodes`,
    ...(silent.size > 0 ? [`NOT HEARD: ${[...silent.keys()].join(", ")}`] : []),
    ...lists,
    ...(since ? [`of the last ${since} s${past}`] : []),
    ...(refused ? ["only refused"] : []),
    ...(dns === false ? ["without DNS"] : []),
  ].join("   ");
}
