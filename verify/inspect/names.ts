// The owners of addresses, in the notation of check files: pod/shop/web-1, service/shop/web, node/worker1.
import type { V1Service } from "@kubernetes/client-node";
import { canonicalAddress } from "../../model/address/address.ts";
import { type ClusterView, nodeAddresses, podAddresses, podName, serviceAddresses } from "../cluster/view.ts";
import { hasEnded } from "../engine/lookup.ts";

export interface Names {
  /** By address. */
  readonly all: Readonly<Record<string, string>>;
  /** The owner of an address; undefined: none. */
  readonly address: (address: string) => string | undefined;
  /** Of a port at any node or at loopback, "30604/TCP": a Service's node port, or a pod's host port. */
  readonly nodePort: (portAndProtocol: string) => string | undefined;
}

export function namesOf(view: ClusterView): Names {
  const addresses = new Map<string, string>();
  const add = (address: string, name: string) => addresses.set(canonicalAddress(address) ?? address, name);
  for (const pod of view.pods) {
    // Pods on the node's network have the node's address.
    if (pod.spec?.hostNetwork || hasEnded(pod)) continue;
    for (const address of podAddresses(pod)) add(address, `pod/${podName(pod)}`);
  }
  for (const service of view.services)
    for (const address of serviceAddresses(service)) add(address, serviceName(service));
  for (const node of view.nodes) for (const address of nodeAddresses(node)) add(address, `node/${node.metadata?.name}`);
  const ports = portsOf(view);
  return {
    all: Object.fromEntries(addresses),
    address: (address) => addresses.get(canonicalAddress(address) ?? address),
    nodePort: (port) => ports.get(port),
  };
}

function portsOf({ services, pods }: ClusterView): Map<string, string> {
  const ports = new Map<string, string>();
  for (const pod of pods) {
    for (const { hostPort, protocol = "TCP" } of (pod.spec?.containers ?? []).flatMap((one) => one.ports ?? []))
      if (hostPort && !pod.spec?.hostNetwork) ports.set(`${hostPort}/${protocol}`, `pod/${podName(pod)}`);
  }
  for (const service of services) {
    for (const { nodePort, protocol = "TCP" } of service.spec?.ports ?? [])
      if (nodePort) ports.set(`${nodePort}/${protocol}`, serviceName(service));
  }
  return ports;
}

const serviceName = ({ metadata }: V1Service) => `service/${metadata?.namespace}/${metadata?.name}`;

/** The words of a text, and what is between them. */
const words = (text: string) => text.split(/([\s,]+)/);

/** An address as the views show it, alone or before a port, and the text after it. A policy's network is no address. */
function addressIn(word: string): [address: string, rest: string] {
  const [, address = word, rest = ""] = /^\[(.+?)\](.*)$/.exec(word) ?? /^([\d.]+)(:.*)$/.exec(word) ?? [];
  return [address, rest];
}

/** The text with names in place of addresses that have one: "via node 172.31.1.8" is "via node/master" then. */
export function named(text: string, names: Names): string {
  const nameOf = (word: string) => {
    const [address, rest] = addressIn(word);
    const name = names.address(address);
    return name ? name + rest : word;
  };
  return words(text)
    .map(nameOf)
    .join("")
    .replace(/\bnode node\//g, "node/");
}

/** The names of the addresses in a text. */
export function namesIn(text: string, names: Names): [address: string, name: string][] {
  return words(text).flatMap((word) => {
    const [address] = addressIn(word);
    const name = names.address(address);
    return name ? [[address, name] as [string, string]] : [];
  });
}

/** Of a frontend as `inspect services` writes it: "10.96.0.10:53/UDP", "[fd00::1]:80/TCP", "any node:30604/TCP". */
export function frontendName(frontend: string, names: Names): string | undefined {
  const [, port] = /^(?:any node|loopback)(?: \(IPv6\))?:(\d+\/\w+)$/.exec(frontend) ?? [];
  if (port) return names.nodePort(port);
  const [[, name] = []] = namesIn(frontend, names);
  return name;
}
