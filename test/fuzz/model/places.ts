// Locations in the small cluster: services by address and port, and the next hop of an address.
import { ICMP, SCTP, TCP, UDP } from "../../../model/protocol.ts";
import {
  backendAddress,
  type ClusterService,
  gateway,
  localPods,
  nodes,
  pods,
  servedServices,
} from "../../packets/cluster.ts";
import { neighbours } from "../../packets/node.ts";
import type { Flow } from "./flow.ts";
import { isOwn } from "./sources.ts";

export const PROTOCOLS: Record<number, string> = { [ICMP]: "ICMP", [TCP]: "TCP", [UDP]: "UDP", [SCTP]: "SCTP" };

const local = new Map(localPods.map((pod) => [pod.address, pod]));
export const localPod = (address: string) => local.get(address);
export const isNode = (address: string): boolean => isOwn(address) || Object.values<string>(nodes).includes(address);
const externals = ({ spec }: ClusterService): string[] => (spec?.externalIPs as string[] | undefined) ?? [];

/** The service that a flow is for. */
export function serviceOf({ destination, destinationPort, protocol }: Flow): ClusterService | undefined {
  return servedServices.find((service) => {
    if (PROTOCOLS[protocol] !== service.protocol) return false;
    if (destinationPort === 80 && [service.clusterIP, service.balancer, ...externals(service)].includes(destination))
      return true;
    return destinationPort === service.nodePort && isNode(destination);
  });
}

/** An ICMP echo request to a cluster address. */
export const isEchoToService = ({ destination, protocol }: Flow): boolean =>
  protocol === ICMP && servedServices.some(({ clusterIP }) => clusterIP === destination);

/** Tunnel addresses of the nodes where a service has backends. */
export function homesOf(service: ClusterService): string[] {
  return service.backends.map((name) => {
    const home = pods.find((pod) => pod.name === name)?.node ?? name;
    return nodes[home as keyof typeof nodes];
  });
}

export const backendsOf = (service: ClusterService): string[] => service.backends.map(backendAddress);

/** Whether a service that has this address, at whatever port, has that backend. */
export const isServedBy = (address: string, backend: string): boolean =>
  servedServices.some(
    (service) =>
      backendsOf(service).includes(backend) &&
      (isNode(address) || [service.clusterIP, service.balancer, ...externals(service)].includes(address)),
  );

/** The flow once a service has given it the backend at `backend`. */
export const translatedTo = (flow: Flow, backend: string): Flow =>
  backend === flow.destination
    ? flow
    : { ...flow, destination: backend, destinationPort: serviceOf(flow)?.targetPort ?? 80 };

/** The node for which a packet to an address of the overlay, or to another node, is wrapped; undefined: not wrapped. */
export function wrappedFor(destination: string): string | undefined {
  const home = /^10\.244\.(\d+)\./.exec(destination)?.[1];
  if (home) return { 1: nodes.node, 2: nodes.far }[home];
  return destination === nodes.node || destination === nodes.far ? destination : undefined;
}

/** The hardware address by which a plain packet leaves the uplink; undefined: the kernel resolves it. */
export function nextHop(destination: string): string | undefined {
  if (destination.startsWith("172.31.1.")) return neighbours[destination];
  const isOfNode = /^10\.245\.1\.([0-9]|[1-5][0-9]|6[0-3])$/.test(destination);
  return neighbours[isOfNode ? nodes.node : gateway];
}
