import type { V1Pod, V1Service } from "@kubernetes/client-node";
import type { AttemptResult } from "../../probe/batch.ts";
import { type ClusterView, nodeAddresses, podAddresses, podsBehind, serviceAddresses } from "../cluster/view.ts";
import type { Plan } from "./plan.ts";

/** The pods that can answer an attempt: those of the services at its destination, else those with that host port, else those with
 * the address itself. */
export function podsOf(view: ClusterView, plan: Plan, result: AttemptResult): V1Pod[] {
  const services = servicesOf(view, plan, result);
  if (services.length > 0) return services.flatMap((service) => podsBehind(view, service));
  if (plan.destination.host.kind === "service") return [];
  const address = addressOf(plan, result);
  const hosted = view.pods.filter((pod) => hasHostPort(view, pod, address, plan.destination.port));
  return hosted.length > 0 ? hosted : view.pods.filter((pod) => podAddresses(pod).includes(address));
}

function hasHostPort({ nodes }: ClusterView, { spec }: V1Pod, address: string, port: number): boolean {
  const node = nodes.find(({ metadata }) => metadata?.name === spec?.nodeName);
  if (!node || !nodeAddresses(node).includes(address) || spec?.hostNetwork) return false;
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.some(({ ports }) => ports?.some(({ hostPort }) => hostPort === port));
}

/** The services that an attempt was addressed to: by name, by their addresses, or by node port. */
export function servicesOf(view: ClusterView, plan: Plan, result: AttemptResult): V1Service[] {
  const { host, port } = plan.destination;
  if (host.kind === "service") {
    return view.services.filter(
      ({ metadata }) => metadata?.name === host.name && metadata.namespace === host.namespace,
    );
  }
  const address = addressOf(plan, result);
  const isNode = view.nodes.some((node) => nodeAddresses(node).includes(address));
  return view.services.filter(
    (service) =>
      serviceAddresses(service).includes(address) ||
      (isNode && service.spec?.ports?.some(({ nodePort }) => nodePort === port)),
  );
}

/** The address that was tried. */
export function addressOf(plan: Plan, result: AttemptResult): string {
  return result.address ?? plan.probes.find(({ probe }) => probe.id === result.id)?.probe.host ?? "";
}
