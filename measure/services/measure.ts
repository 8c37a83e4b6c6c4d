import { setTimeout } from "node:timers/promises";
import { scaledModes } from "../../model/mode/mode.ts";
import type { Countdown } from "../countdown.ts";
import type { TestbedApiServer } from "../testbed/api-server.ts";
import { clusterIP, endpointSlice, service } from "../testbed/kubernetes-objects.ts";
import type { TestbedMachine } from "../testbed/testbed-machine.ts";
import { type ConnectionRound, connectInRounds } from "./connections.ts";
import { type FullRun, measureFull } from "./full.ts";
import { ENDPOINTS, type ScalePlan, sampleOf } from "./plan.ts";
import { endpointAddress, type Mode, renewMachine, type ScaledNode, startNode } from "./testbed.ts";
import { PATIENCE, type Unanswered, unlessUnanswered } from "./unanswered.ts";
import { monotonicSeconds, watchAnswers } from "./watcher.ts";

/** Result of one mode at one number of services. */
export interface Measured {
  readonly mode: Mode;
  readonly services: number;
  readonly loadSeconds: number;
  /** One value for each additional service. */
  readonly programmingSeconds: readonly number[];
  readonly rounds: readonly ConnectionRound[];
  /** Of our agent, when all services were programmed. */
  readonly memoryMiB?: number;
}

/** An agent gives back what its start needed within so long. */
const SETTLED_MS = 15_000;

/** The testbed of the measurement. */
export interface Place {
  readonly lab: string;
  readonly api: TestbedApiServer;
  readonly server: TestbedMachine;
}

const described = (name: string, index: number) => ({
  name,
  clusterIP: clusterIP(index),
  backends: Array.from({ length: ENDPOINTS }, (_, at) => ({ address: endpointAddress(index, at) })),
});

/** What a run measured. */
export interface ScaleRun {
  readonly measured: readonly Measured[];
  readonly full: FullRun;
  /** Modes that have no figure, at one of the numbers of services. */
  readonly unanswered: readonly Unanswered[];
}

export async function measureScale(plan: ScalePlan, place: Place, countdown: Countdown): Promise<ScaleRun> {
  const results: Measured[] = [];
  const unanswered: Unanswered[] = [];
  let full: FullRun | undefined;
  let made = 0;
  for (const count of plan.counts) {
    await createServices(place.api, made + 1, count);
    made = count;
    countdown.step(`${count} services are created`);
    const nodes: Programmed[] = [];
    for (const mode of scaledModes) {
      const size = { mode, services: count, endpoints: ENDPOINTS };
      nodes.push(...(await unlessUnanswered(size, place.lab, unanswered, () => program(mode, count, plan, place))));
      countdown.step(`${mode} with ${count} services`);
    }
    const clients = new Map(nodes.map(({ mode, node }) => [mode, node.client]));
    const rounds = await connectInRounds(clients, place.server, sampleOf(count).map(clusterIP), plan);
    countdown.step(`connections with ${count} services`);
    for (const { node: _, ...programmed } of nodes)
      results.push({ ...programmed, services: count, rounds: rounds.get(programmed.mode) ?? [] });
    if (count === plan.full.services) full = await measureFull(plan.full, place, unanswered, countdown);
  }
  if (!full) throw new Error(`${plan.full.services} services are not among ${plan.counts}`);
  return { measured: results, full, unanswered };
}

/** Creates services number `from` to `to`, endpoints first. */
async function createServices(api: TestbedApiServer, from: number, to: number): Promise<void> {
  const all = Array.from({ length: to - from + 1 }, (_, place) => described(`s${from + place}`, from + place));
  await api.createAll(all.map(endpointSlice));
  await api.createAll(all.map(service));
}

interface Programmed extends Pick<Measured, "mode" | "loadSeconds" | "programmingSeconds" | "memoryMiB"> {
  readonly node: ScaledNode;
}

/** Lets one mode program everything, then one more service at a time; stops its program, so that rounds are quiet. */
async function program(mode: Mode, count: number, plan: ScalePlan, place: Place): Promise<Programmed> {
  const machine = await renewMachine(place.lab, mode);
  if (count === plan.counts[0]) await place.api.addNode(machine);
  const node = await startNode(mode, machine, { ...place, pod: `client-${count}` });
  const targets = sampleOf(count).map((index) => `${clusterIP(index)}:80`);
  const answered = await watchAnswers(node.client, targets, PATIENCE);
  await answered();
  const loadSeconds = ((node.readyMs ?? performance.now()) - node.startedMs) / 1000;
  const programmingSeconds: number[] = [];
  for (let addition = 1; addition <= plan.additions; addition++)
    programmingSeconds.push(await addService(place.api, node, described(`extra-${addition}`, 60_000 + addition)));
  if (node.ebpf) await setTimeout(SETTLED_MS);
  const memoryMiB = await node.ebpf?.memoryMiB();
  await node.stop();
  return { mode, node, loadSeconds, programmingSeconds, ...(memoryMiB && { memoryMiB }) };
}

/** @returns seconds from the API server's having one more service until a connection to it is answered */
async function addService(api: TestbedApiServer, { client }: ScaledNode, extra: ReturnType<typeof described>) {
  const answered = await watchAnswers(client, [`${extra.clusterIP}:80`], PATIENCE);
  await api.create(endpointSlice(extra));
  await api.create(service(extra));
  const created = monotonicSeconds();
  try {
    return Math.max(0, (await answered()) - created);
  } finally {
    await api.remove(service(extra));
    await api.remove(endpointSlice(extra));
  }
}
