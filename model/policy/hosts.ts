import { type Address, canonicalAddress, contains, parseCidr } from "../address/address.ts";
import { fits, lookupIn } from "../calico-selector/expression.ts";
import { parseSelector } from "../calico-selector/parse.ts";
import { isHostAddress, type NodeDirectory } from "../node/nodes.ts";
import type { HostEndpoint } from "../objects/calico-policy/host-endpoint.ts";
import type { KubeControllersConfiguration } from "../objects/calico-policy/kube-controllers.ts";
import type { Node } from "../objects/core.ts";
import type { Problem } from "../problem.ts";
import { isImplied } from "./calico-labels.ts";
import { hostPortName, portName } from "./judge.ts";
import type { Labels } from "./selector.ts";
import type { Who } from "./workload-selector.ts";

/** A node's interface, or all of them, as policies see it. */
export interface Host {
  /** "HostEndpoint node1-eth0", "the automatic HostEndpoint of node1" */
  readonly owner: string;
  readonly name: string;
  readonly node: string;
  /** "*": all interfaces; absent: the one that has one of the addresses. */
  readonly interfaceName?: string | undefined;
  /** The same as a regular expression. */
  readonly interfacePattern?: string;
  readonly labels: Labels;
  /** By what the selectors of peers find it, besides the interface's name. */
  readonly addresses: readonly Address[];
  /** What happens to traffic that no policy is about. */
  readonly otherwise: "allow" | "deny";
  readonly ports: readonly { readonly name: string; readonly protocol: number; readonly port: number }[];
}

export interface HostObjects {
  readonly hostEndpoints?: readonly HostEndpoint[];
  readonly kubeControllersConfigurations?: readonly KubeControllersConfiguration[];
  readonly nodes: readonly Node[];
}

/** All nodes' interfaces that policies can name: those of HostEndpoints, and those that KubeControllersConfiguration asks for, which
 * every agent computes for itself. A HostEndpoint of a node that does not exist has no effect. */
export function hostsOf({
  hostEndpoints = [],
  kubeControllersConfigurations = [],
  nodes,
}: HostObjects): readonly Host[] {
  const written = hostEndpoints.map(({ metadata, spec }) => ({
    owner: `HostEndpoint ${metadata.name}`,
    name: metadata.name,
    node: spec.node,
    interfaceName: spec.interfaceName,
    labels: metadata.labels ?? {},
    addresses: spec.expectedIPs,
    otherwise: spec.otherwise,
    ports: spec.ports,
  }));
  const [configuration] = kubeControllersConfigurations;
  if (!configuration?.spec.autoCreate) return written;
  return [...written, ...nodes.flatMap((node) => automatic(node, configuration))];
}

function automatic(node: Node, { spec }: KubeControllersConfiguration): Host[] {
  const { name } = node.metadata;
  // A kubelet may write most labels of its own Node: none of them makes the node a pod of a namespace or a service account.
  const own = Object.fromEntries(Object.entries(node.metadata.labels ?? {}).filter(([label]) => !isImplied(label)));
  const addresses = node.status.addresses.flatMap(({ address }) => canonicalAddress(address) ?? []);
  const made = { node: name, otherwise: "allow" as const, ports: [] };
  const always = spec.createDefaultHostEndpoint
    ? [
        {
          ...made,
          owner: `the automatic HostEndpoint of ${name}`,
          name: `${name}-auto-hep`,
          interfaceName: "*",
          labels: { ...own, ...CREATED },
          addresses,
        },
      ]
    : [];
  const ofTemplates = spec.templates
    .filter(({ nodeSelector }) => selects(nodeSelector, own))
    .map(({ generateName, interfaceCIDRs, interfacePattern, labels }) => {
      const blocks = interfaceCIDRs.map(parseCidr);
      const chosen = addresses.filter((address) => blocks.some((block) => contains(block, address)));
      return {
        ...made,
        owner: `the automatic HostEndpoint ${generateName} of ${name}`,
        name: `${name}-${generateName}-auto-hep`,
        ...(interfacePattern && { interfacePattern }),
        labels: { ...own, ...labels, ...CREATED },
        addresses: chosen,
      };
    })
    .filter(({ interfacePattern, addresses: chosen }) => interfacePattern || chosen.length > 0);
  return [...always, ...ofTemplates];
}

function selects(selector: string, labels: Labels): boolean {
  const parsed = parseSelector(selector);
  return parsed.fault === undefined && fits(parsed.expression, lookupIn(labels));
}

/** As on the objects that Calico's own controller writes. */
export const CREATED: Labels = { "projectcalico.org/created-by": "calico-kube-controllers" };

export function hostAsSubject({ labels }: Pick<Host, "labels">): Who {
  return { kind: "hostEndpoint", labels };
}

/** A host endpoint as rules about others find it. */
export interface HostPeer {
  readonly who: Who;
  /** By `hostPortName`. */
  readonly ports: ReadonlyMap<string, number>;
}

/** How rules find each address that host endpoints expect: a rule selects the address if it selects one of these host endpoints.
 * Addresses of other nodes belong to their nodes. An address that no node has belongs to a machine outside, or to an interface that its
 * Node does not name. A pod's address stays the pod's (locations.ts). */
export function labelledAddresses(
  hosts: readonly Host[],
  nodes: Pick<NodeDirectory, "nodeOf">,
): ReadonlyMap<Address, readonly HostPeer[]> {
  const found = new Map<Address, HostPeer[]>();
  for (const host of hosts) {
    const peer = { who: hostAsSubject(host), ports: portsOf(host, hostPortName) };
    for (const address of new Set(host.addresses)) {
      const node = nodes.nodeOf(address);
      if (node === host.node || (node === undefined && isHostAddress(address)))
        found.set(address, [...(found.get(address) ?? []), peer]);
    }
  }
  return found;
}

export function portsOf({ ports }: Pick<Host, "ports">, keyOf = portName): ReadonlyMap<string, number> {
  return new Map(ports.map(({ name, protocol, port }) => [keyOf(protocol, name), port]));
}

/** An uplink of this node. */
export interface HostInterface {
  readonly name: string;
  readonly ifindex: number;
  readonly addresses: readonly Address[];
}

/** Which of this node's hosts stands for each uplink, and for the rest. */
export interface OwnHosts {
  readonly byInterface: ReadonlyMap<HostInterface, Host>;
  /** Of all other interfaces. */
  readonly others: Host | undefined;
  readonly problems: readonly Problem[];
}

/** By the interface's name or an address of it, then "*"; a written one before an automatic one, and of several the first by name (upstream:
 * felix/dataplane/linux/endpoint_mgr.go). */
export function ownHosts(hosts: readonly Host[], node: string, interfaces: readonly HostInterface[]): OwnHosts {
  const own = hosts.filter((host) => host.node === node).sort(inOrder);
  const byInterface = new Map<HostInterface, Host>();
  for (const uplink of interfaces) {
    const host = own.find((one) => one.interfaceName === uplink.name || isAt(one, uplink));
    if (host) byInterface.set(uplink, host);
  }
  const others = own.find(({ interfaceName }) => interfaceName === "*");
  const used = new Set([...byInterface.values(), others]);
  return {
    byInterface,
    others,
    problems: own.filter((host) => !used.has(host)).map((host) => unused(host, interfaces)),
  };
}

function isAt(host: Host, uplink: HostInterface): boolean {
  if (host.interfaceName !== undefined) return false;
  if (host.interfacePattern && new RegExp(host.interfacePattern).test(uplink.name)) return true;
  return !host.interfacePattern && host.addresses.some((address) => uplink.addresses.includes(address));
}

function inOrder(a: Host, b: Host): number {
  const [first, second] = [isAutomatic(a), isAutomatic(b)];
  if (first !== second) return first ? 1 : -1;
  return a.name < b.name ? -1 : 1;
}

export function isAutomatic({ labels }: Host): boolean {
  return labels["projectcalico.org/created-by"] === CREATED["projectcalico.org/created-by"];
}

function unused({ name, node, interfaceName }: Host, interfaces: readonly HostInterface[]): Problem {
  const known = interfaces.map((one) => one.name).join(", ");
  return {
    kind: "HostEndpoint",
    name,
    path: interfaceName === undefined ? "spec.expectedIPs" : "spec.interfaceName",
    message: `protects nothing on node ${node}: policies are enforced on its uplinks (${known}), and none is this one, or another HostEndpoint stands for it. Next: name an uplink, "*", or one of its addresses, or add the interface to \`uplinks\`.`,
  };
}
