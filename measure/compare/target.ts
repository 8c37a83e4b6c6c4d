import type { V1NetworkPolicy, V1Pod, V1Service } from "@kubernetes/client-node";
import { type Family, familyOf } from "../../model/address/address.ts";
import { type ClusterView, nodeAddresses, podAddresses, podName, podsBehind } from "../../verify/cluster/view.ts";
import type { Lab, LabMachine } from "../../verify/lab.ts";
import type { CompareOptions } from "./options.ts";

/** There is nothing to compare: the message has what is missing and how to create it. */
export class NothingToCompare extends Error {}

/** Clients and destination. */
export interface Target {
  /** The client whose connections are timed. */
  client: LabMachine;
  /** Every client outside the cluster. */
  clients: LabMachine[];
  nodes: LabMachine[];
  /** The node that clients connect to. */
  entry: LabMachine;
  nodePort: number;
  pod: V1Pod;
  podAddress: string;
  /** The same over IPv6: the entry node's address and the pod's. Absent where the service, a node, a client or the pod has none. */
  ipv6?: { entry: string; podAddress: string };
  podPort: number;
  /** The machine that the pod runs on. */
  podNode: LabMachine;
}

/** Resolves the names in the options. @throws NothingToCompare */
export function findTarget(options: CompareOptions, lab: Lab, view: ClusterView): Target {
  const clients = lab.machines.filter(({ role }) => role === "client");
  const nodes = lab.machines.filter(({ role }) => role !== "client");
  if (nodes.length === 0)
    throw new NothingToCompare(`there is no local cluster "${options.lab}": start one with \`make up\``);
  const stopped = lab.machines.find(({ pid }) => pid === undefined);
  if (stopped) throw new NothingToCompare(`machine ${stopped.name} does not run: repair the cluster with \`make up\``);
  const service = findService(view, options.service);
  const port = service.spec?.ports?.find(({ nodePort, protocol }) => nodePort && protocol !== "UDP");
  if (!port?.nodePort)
    throw new NothingToCompare(`--service is ${options.service}, but that service has no TCP node port`);
  const pods = podsBehind(view, service).filter(({ status }) => status?.phase === "Running");
  const [pod] = pods;
  if (!pod || pods.length > 1)
    throw new NothingToCompare(
      `service ${options.service} has ${pods.length} running pods, but a comparison needs exactly one: each connection must take the same path`,
    );
  const podNode = nodes.find(({ name }) => name === pod.spec?.nodeName);
  const entry =
    options.entry === undefined
      ? (nodes.find(({ role, name }) => role === "control-plane" && name !== podNode?.name) ??
        nodes.find(({ name }) => name !== podNode?.name))
      : nodes.find(({ name }) => name === options.entry);
  if (!podNode || !entry)
    throw new NothingToCompare(
      options.entry
        ? `--entry is ${options.entry}, but the nodes are ${names(nodes)}`
        : `pod ${podName(pod)} needs another node than its own for clients to connect to`,
    );
  if (entry === podNode)
    throw new NothingToCompare(
      `--entry is ${entry.name}, but pod ${podName(pod)} runs there: nothing would cross the network between nodes`,
    );
  const client = options.client === undefined ? clients[0] : clients.find(({ name }) => name === options.client);
  if (!client)
    throw new NothingToCompare(
      options.client
        ? `--client is ${options.client}, but the clients are ${names(clients)}`
        : "the lab has no client outside the cluster",
    );
  const target = port.targetPort ?? port.port;
  const named = pod.spec?.containers
    .flatMap(({ ports }) => ports ?? [])
    .find(({ name }) => name === target)?.containerPort;
  const podPort = typeof target === "number" ? target : (named ?? port.port);
  return {
    client,
    clients,
    nodes,
    entry,
    nodePort: port.nodePort,
    pod,
    podAddress: ofFamily("IPv4", podAddresses(pod)) ?? podAddresses(pod)[0] ?? "",
    ...overIpv6(view, { service, pod, entry, clients }),
    podPort,
    podNode,
  };
}

/** Where clients connect over IPv6, if they can. */
function overIpv6(
  view: ClusterView,
  { service, pod, entry, clients }: Pick<Target, "pod" | "entry" | "clients"> & { service: V1Service },
): Pick<Target, "ipv6"> {
  const node = view.nodes.find(({ metadata }) => metadata?.name === entry.name);
  const address = node && ofFamily("IPv6", nodeAddresses(node));
  const podAddress = ofFamily("IPv6", podAddresses(pod));
  const isServed = service.spec?.ipFamilies?.includes("IPv6") && clients.every(({ addressIpv6 }) => addressIpv6);
  return isServed && address && podAddress ? { ipv6: { entry: address, podAddress } } : {};
}

const ofFamily = (family: Family, addresses: string[]): string | undefined =>
  addresses.find((address) => familyOf(address) === family);

function findService(view: ClusterView, wanted: string): V1Service {
  const found = view.services.find(({ metadata }) => `${metadata?.namespace}/${metadata?.name}` === wanted);
  if (found) return found;
  throw new NothingToCompare(
    `the cluster has no service ${wanted}: \`make up\` creates default/nginx; choose another one with --service`,
  );
}

const names = (machines: LabMachine[]): string => machines.map(({ name }) => name).join(", ") || "none";

/** The address of the entry node that its Node object and clients use. */
export const entryAddress = ({ entry }: Target, view: ClusterView): string => {
  const node = view.nodes.find(({ metadata }) => metadata?.name === entry.name);
  return (node && ofFamily("IPv4", nodeAddresses(node))) ?? entry.address;
};

/**
 * Opens the pod to all clients during the measurement. Behind kube-proxy the pod sees a node instead of its clients, and a policy
 * that names clients drops all of them: nothing could be measured. The policies in force stay, so that in every mode the
 * pod's programs judge each connection.
 */
export function openPolicy({
  pod,
}: Target): V1NetworkPolicy & { apiVersion: string; kind: string; metadata: { name: string; namespace: string } } {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "comparison-opens", namespace: pod.metadata?.namespace ?? "default" },
    spec: { podSelector: { matchLabels: labelsOf(pod) }, policyTypes: ["Ingress"], ingress: [{}] },
  };
}

/** User-defined labels; the controller's own change with every version of the pod. */
function labelsOf({ metadata }: V1Pod): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata?.labels ?? {}).filter(
      ([key]) => !/pod-template|controller-revision|^statefulset/.test(key),
    ),
  );
}
