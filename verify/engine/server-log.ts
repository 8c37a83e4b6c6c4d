import type { V1Pod } from "@kubernetes/client-node";
import type { AttemptResult } from "../../agent/probe/batch.ts";
import {
  type ClusterView,
  nodeAddresses,
  podAddresses,
  podName,
  podsBehind,
  serviceAddresses,
} from "../cluster/view.ts";
import { parseServer } from "../format/place.ts";
import { matches } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import type { World } from "./world.ts";

/** What a server's own log says about one attempt. */
export interface LogEvidence {
  server: string;
  source: string;
  line: string;
}

/** A log line travels from the container through kubelet; it is there within a moment or never. */
const patienceMs = 2500;
const pauseMs = 250;

/** Whether an expectation can only be judged by knowing who answered or whom the server saw. */
export function needsEvidence({ expectation }: Plan): boolean {
  const { verdict, source, servers, spread, reply } = expectation;
  return verdict === "allowed" && Boolean(source || servers || spread || reply);
}

/**
 * For servers that do not say whom they saw (any web server): the line of their access log that holds the attempt's
 * token, found in the logs of the pods behind the destination.
 *
 * @returns by `<token>.<attempt>`
 */
export async function readServerLogs(
  world: World,
  view: ClusterView,
  asked: { plan: Plan; result: AttemptResult }[],
  sinceMs: number,
): Promise<Map<string, LogEvidence>> {
  const found = new Map<string, LogEvidence>();
  const silent = asked.filter(
    ({ plan, result }) => needsEvidence(plan) && result.verdict === "allowed" && !result.server,
  );
  if (silent.length === 0) return found;
  const wanted = silent.map(({ result }) => `${result.id}.${result.attempt}`);
  const pods = new Set(silent.flatMap(({ plan, result }) => candidates(view, plan, result)));

  const giveUp = world.clock.now() + patienceMs;
  for (;;) {
    const logs = [...pods].map(async (pod) => {
      const lines = await world.log(pod, (world.clock.now() - sinceMs) / 1000 + 5);
      for (const line of lines) note(found, line, podName(pod));
    });
    await Promise.all(logs);
    if (wanted.every((token) => found.has(token)) || world.clock.now() >= giveUp || world.stopping.aborted)
      return found;
    await world.clock.sleep(pauseMs);
  }
}

/** The common log format starts with the remote address (nginx `combined`, Apache, most others). */
function note(found: Map<string, LogEvidence>, line: string, server: string): void {
  const token = line.match(/ebpf-dataplane-probe\/([0-9a-f-]+\.\d+)/)?.[1];
  const source = line.match(/^\S+/)?.[0];
  if (token && source) found.set(token, { server, source, line });
}

/** The pods that may have answered: those the check allows, else those behind the destination. */
function candidates(view: ClusterView, plan: Plan, result: AttemptResult): V1Pod[] {
  const { servers } = plan.expectation;
  const named = servers?.map(parseServer) ?? [];
  const allowed = view.pods.filter((pod) => named.some((selection) => matches(pod, selection)));
  const { host, port } = plan.destination;
  if (host.kind === "service") {
    return [
      ...allowed,
      ...view.services
        .filter(({ metadata }) => metadata?.name === host.name && metadata.namespace === host.namespace)
        .flatMap((service) => podsBehind(view, service)),
    ];
  }
  const address = plan.probes.find(({ probe }) => probe.id === result.id)?.probe.host ?? "";
  return [...allowed, ...podsAt(view, result.address ?? address, port)];
}

/** Who can answer at an address and port: the pods behind a service there, else a pod itself, or host-network pods of a node. */
function podsAt(view: ClusterView, address: string, port: number): V1Pod[] {
  const isNode = view.nodes.some((node) => nodeAddresses(node).includes(address));
  const services = view.services.filter(
    (service) =>
      serviceAddresses(service).includes(address) ||
      (isNode && service.spec?.ports?.some(({ nodePort }) => nodePort === port)),
  );
  if (services.length > 0) return services.flatMap((service) => podsBehind(view, service));
  return view.pods.filter((pod) => podAddresses(pod).includes(address));
}
