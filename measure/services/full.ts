// Many endpoints in every mode at once, each on its node: cold programming, single changes, changes without end.
import { setTimeout } from "node:timers/promises";
import { scaledModes } from "../../model/mode/mode.ts";
import type { Countdown } from "../countdown.ts";
import { machineCpuSeconds } from "../cpu-time.ts";
import type { EbpfNode } from "../testbed/ebpf-node.ts";
import { clusterIP, endpointSlice, type KubernetesObject } from "../testbed/kubernetes-objects.ts";
import { waitUntil } from "../testbed/testbed-machine.ts";
import { type Latency, latencyBetween, longestBlockMs } from "./agent-metrics.ts";
import type { Place } from "./measure.ts";
import { ENDPOINTS, type FullPlan, sampleOf } from "./plan.ts";
import { endpointAddress, type Mode, renewMachine, type ScaledNode, startNode } from "./testbed.ts";
import { PATIENCE, type Unanswered, unlessUnanswered } from "./unanswered.ts";
import { watchAnswers } from "./watcher.ts";

/** What many endpoints cost. */
export interface FullRun {
  readonly services: number;
  readonly endpoints: number;
  /** From an empty dataplane until all services are programmed. */
  readonly coldSeconds: readonly { readonly mode: Mode; readonly seconds: number }[];
  /** From the arrival of one change at our agent until the map has it. */
  readonly changes: Latency;
  /** How many changes were made while processor time was measured. */
  readonly churned: number;
  readonly cpuSeconds: readonly { readonly mode: Mode; readonly seconds: number }[];
  /** Of our agent, afterwards. */
  readonly memoryMiB: number;
  /** The longest that our agent's event loop was late, milliseconds, while it followed changes and nothing else had work. */
  readonly longestBlockMs: number;
}

/** Each single change finds an idle agent. */
const PAUSE_MS = 50;
/** kube-proxy batches changes for up to a second: the last are followed too. */
const FOLLOWED_MS = 3000;

/** @param unanswered gets the modes that cannot be measured */
export async function measureFull(
  plan: FullPlan,
  place: Place,
  unanswered: Unanswered[],
  countdown: Countdown,
): Promise<FullRun> {
  const { api } = place;
  const more = Array.from({ length: plan.services }, (_, at) => sliceOf(at + 1, ENDPOINTS, plan.endpoints, 2));
  await api.createAll(more);
  countdown.step(`${plan.endpoints} endpoints for each service`);
  const nodes: { mode: Mode; node: ScaledNode; seconds: number }[] = [];
  const start = async (mode: Mode) => {
    nodes.push(
      ...(await unlessUnanswered({ mode, ...plan }, place.lab, unanswered, () => startCold(mode, plan, place))),
    );
    countdown.step(`${mode} with ${plan.endpoints} endpoints for each service`);
  };
  // Ours first: how soon it has a change, and how long it is busy at a time, is not to depend on how busy a kube-proxy is.
  await start("Ebpf");
  const ours = nodes.find(({ node }) => node.ebpf)?.node.ebpf;
  if (!ours) throw new Error("our agent is not among the modes");
  const before = await ours.metrics();
  for (let change = 0; change < plan.changes; change++) {
    await api.change(changedSlice(change, plan.services));
    await untilCounted(ours, before, change + 1);
    await setTimeout(PAUSE_MS);
  }
  const after = await ours.metrics();
  countdown.step(`${plan.changes} changes, one by one`);
  let made = plan.changes;
  const churnFor = async (seconds: number) => {
    const first = made;
    made += await churn(plan.churn.perSecond, seconds, (change) =>
      api.change(changedSlice(first + change, plan.services)),
    );
    await setTimeout(FOLLOWED_MS);
    return made - first;
  };
  await churnFor(plan.churn.aloneSeconds);
  const alone = await ours.metrics();
  countdown.step(`changes at ${plan.churn.perSecond} a second`);
  for (const mode of scaledModes) if (mode !== "Ebpf") await start(mode);
  nodes.sort((a, b) => scaledModes.indexOf(a.mode) - scaledModes.indexOf(b.mode)); // as in all results
  const spent = () => nodes.map(({ node }) => machineCpuSeconds([node.client.machine]));
  const began = spent();
  const churned = await churnFor(plan.churn.seconds);
  const ended = spent();
  countdown.step(`${churned} changes at ${plan.churn.perSecond} a second, in all modes`);
  const memoryMiB = await ours.memoryMiB();
  for (const { node } of nodes) await node.stop();
  await api.removeAll(more[0] as KubernetesObject, "part=2");
  return {
    services: plan.services,
    endpoints: plan.endpoints,
    coldSeconds: nodes.map(({ mode, seconds }) => ({ mode, seconds })),
    changes: latencyBetween(before, after),
    churned,
    cpuSeconds: nodes.map(({ mode }, at) => ({ mode, seconds: (ended[at] as number) - (began[at] as number) })),
    memoryMiB,
    longestBlockMs: longestBlockMs([after, alone]),
  };
}

/** An agent that gets two changes at once counts one. */
async function untilCounted(agent: Pick<EbpfNode, "metrics">, before: string, changes: number): Promise<void> {
  const isCounted = async () => latencyBetween(before, await agent.metrics()).count >= changes;
  await waitUntil(`${changes} changes to be programmed`, PATIENCE, isCounted);
}

async function startCold(mode: Mode, plan: FullPlan, place: Place) {
  const machine = await renewMachine(place.lab, mode);
  const node = await startNode(mode, machine, { ...place, pod: `client-full-${plan.services}` });
  const targets = sampleOf(plan.services).map((index) => `${clusterIP(index)}:80`);
  const answered = await watchAnswers(node.client, targets, PATIENCE);
  await answered();
  return { mode, node, seconds: ((node.readyMs ?? performance.now()) - node.startedMs) / 1000 };
}

function sliceOf(service: number, from: number, to: number, part: number, ready = true): KubernetesObject {
  const backends = Array.from({ length: to - from }, (_, at) => ({
    address: endpointAddress(service, from + at),
    ready: ready || at > 0,
  }));
  return endpointSlice({ name: `s${service}`, clusterIP: clusterIP(service), backends, part });
}

/** The nth change: one endpoint of one service is not ready, and ready again the next time that it is this service's turn. */
function changedSlice(change: number, services: number): KubernetesObject {
  const service = 1 + ((change * 37) % services);
  return sliceOf(service, 0, ENDPOINTS, 1, Math.floor(change / services) % 2 === 1);
}

/** Makes changes at a steady rate. @returns how many were made: fewer than planned where the API server is too slow */
async function churn(perSecond: number, seconds: number, make: (change: number) => Promise<void>): Promise<number> {
  const began = performance.now();
  let made = 0;
  const open = new Set<Promise<void>>();
  for (;;) {
    const elapsed = performance.now() - began;
    if (elapsed > seconds * 1000) break;
    const due = Math.floor((elapsed / 1000) * perSecond);
    if (made < due && open.size < 8) {
      const one: Promise<void> = make(made++).finally(() => open.delete(one));
      open.add(one);
    } else await setTimeout(5);
  }
  await Promise.all(open);
  return made;
}
