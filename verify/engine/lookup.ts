import type { V1Pod } from "@kubernetes/client-node";
import { type Family, familyOf } from "../../model/address/address.ts";
import type { Host } from "../../model/expectation/destination.ts";
import type { PodSelection, Source } from "../../model/expectation/place.ts";
import { type ClusterView, nodeAddresses, podAddresses, podName, serviceAddresses } from "../cluster/view.ts";
import type { Machine } from "./world.ts";

/** A name in the check does not exist (yet): retried, and the message on timeout. */
export class NotYet extends Error {}

export function matches(pod: V1Pod, { namespace, name, labels }: PodSelection): boolean {
  if (pod.metadata?.namespace !== namespace) return false;
  if (name !== undefined) return pod.metadata.name === name;
  return Object.entries(labels ?? {}).every(([key, value]) => pod.metadata?.labels?.[key] === value);
}

/** The selected pods: all that run, each with an address. Labels do not select a pod that terminates; its name does. */
export function livePods(view: ClusterView, selection: PodSelection): V1Pod[] {
  const isLive = (pod: V1Pod) => !hasEnded(pod) && (selection.name !== undefined || !isTerminating(pod));
  const pods = view.pods.filter((pod) => matches(pod, selection) && isLive(pod));
  if (pods.length === 0) throw new NotYet(`${selectionText(selection)} does not exist`);
  for (const pod of pods) {
    if (podAddresses(pod).length === 0) throw new NotYet(`pod ${podName(pod)} has no address yet (${phase(pod)})`);
  }
  return pods;
}

/**
 * The addresses a destination stands for; a DNS name stays a name, for the prober to resolve where it is.
 * @param family which of several addresses; absent: the first one
 */
export function hostAddresses(view: ClusterView, host: Host, family?: Family): string[] {
  switch (host.kind) {
    case "address":
      return [host.address];
    case "name":
      return [host.name];
    case "node":
      return [firstAddress(nodeAddresses(nodeOf(view, host.name)), `node ${host.name}`, family)];
    case "pod":
      return livePods(view, host).map((pod) => firstAddress(podAddresses(pod), `pod ${podName(pod)}`, family));
    case "service":
      return [serviceAddress(view, host, family)];
  }
}

/** Every address that a source may have. */
export function sourceAddresses(view: ClusterView, machines: Machine[], source: Source): string[] {
  switch (source.kind) {
    case "address":
      return [source.address];
    case "node":
      return nodeAddresses(nodeOf(view, source.name));
    case "pod":
      return livePods(view, source).flatMap(podAddresses);
    case "machine":
      return machines.filter(({ name }) => name === source.name).flatMap(machineAddresses);
  }
}

/** Every address of a machine, the one of IPv4 first. */
export const machineAddresses = ({ address, addressIpv6 }: Machine): string[] =>
  addressIpv6 === undefined ? [address] : [address, addressIpv6];

/** The first of a machine's, a node's or a pod's addresses that has the family of `peer`; where that is a name, the first one. */
export const addressTowards = (peer: string, addresses: string[]): string | undefined =>
  familyOf(peer) === undefined ? addresses[0] : addresses.find((address) => familyOf(address) === familyOf(peer));

/** The owner of an address: `pod default/web-0`, `node master`, `machine client1`. */
export function ownerOf(view: ClusterView, machines: Machine[], address: string): string | undefined {
  const node = view.nodes.find((one) => nodeAddresses(one).includes(address));
  if (node) return `node ${node.metadata?.name}`;
  const machine = machines.find((one) => machineAddresses(one).includes(address));
  if (machine) return `machine ${machine.name}`;
  const pod = view.pods.find((one) => !one.spec?.hostNetwork && podAddresses(one).includes(address));
  return pod && `pod ${podName(pod)}`;
}

/** Whether an address belongs to the cluster, so that it should answer. */
export function isOurs(view: ClusterView, address: string): boolean {
  return (
    view.nodes.some((node) => nodeAddresses(node).includes(address)) ||
    view.pods.some((pod) => podAddresses(pod).includes(address)) ||
    view.services.some((service) => serviceAddresses(service).includes(address))
  );
}

export function nodeOf(view: ClusterView, name: string) {
  const node = view.nodes.find(({ metadata }) => metadata?.name === name);
  if (!node)
    throw new NotYet(
      `node ${name} does not exist; nodes: ${view.nodes.map(({ metadata }) => metadata?.name).join(", ")}`,
    );
  return node;
}

function serviceAddress(
  view: ClusterView,
  { namespace, name }: { namespace: string; name: string },
  family?: Family,
): string {
  const service = view.services.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name);
  if (!service) throw new NotYet(`service ${namespace}/${name} does not exist`);
  const { clusterIP, clusterIPs } = service.spec ?? {};
  const addresses = (clusterIPs ?? [clusterIP ?? ""]).filter((address) => familyOf(address) !== undefined);
  if (addresses.length === 0) throw new NotYet(`service ${namespace}/${name} has no cluster address`);
  return firstAddress(addresses, `service ${namespace}/${name}`, family);
}

/** It has no network any more; its address may be another's. */
export function hasEnded({ status }: V1Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

function isTerminating({ metadata }: V1Pod): boolean {
  return metadata?.deletionTimestamp !== undefined;
}

function firstAddress(addresses: string[], owner: string, family?: Family): string {
  if (addresses.length === 0) throw new NotYet(`${owner} has no address yet`);
  const address = addresses.find((one) => family === undefined || familyOf(one) === family);
  if (address === undefined) throw new NotYet(`${owner} has no ${family} address, only ${addresses.join(", ")}`);
  return address;
}

/** `Pending, ContainerCreating`: what kubectl would show. */
function phase({ status }: V1Pod): string {
  const waiting = status?.containerStatuses?.map(({ state }) => state?.waiting?.reason).find(Boolean);
  return [status?.phase, waiting].filter(Boolean).join(", ");
}

function selectionText({ namespace, name, labels }: PodSelection): string {
  if (name !== undefined) return `pod ${namespace}/${name}`;
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return `a pod ${namespace}/${pairs.join(",")}`;
}
