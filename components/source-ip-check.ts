import { type ReturnMode, ServiceHandling } from "./dataplane-args";
import type { Expectation } from "./expectation";
import type { MachineAddress } from "./machine";

/** What is to be shown about a service that clients outside the cluster reach through a node port. */
export interface ServiceUnderTest {
  name: string;
  entryAddress: string;
  nodePort: number;
  namespace: string;
  podLabels: Record<string, string>;
  returnMode: ReturnMode;
  serviceHandling: ServiceHandling;
  clients: MachineAddress[];
  /** Names of clients that the policies in force must keep out. */
  droppedClients: string[];
  /** What must hold besides. */
  expectations: Expectation[];
}

/** Seconds: a cluster's own pods (CoreDNS, say) start only once the dataplane is there. */
const PATIENCE = 60;

/** How a reply that reached the client is said to have travelled, in the words of check files. */
const REPLY = { dsr: "direct", tunnel: "viaEntryNode" };

/** What the pods see of the clients. kube-proxy gives each packet the address of the node that it entered by, so that replies
 * come back there: policies by client address then keep everybody out. */
interface Seen {
  source(client: MachineAddress): string;
  reply: string;
  /** Clients that the policies in force let in. */
  admitted: MachineAddress[];
}

function seenThrough(service: ServiceUnderTest): Seen {
  const { clients, droppedClients, serviceHandling, returnMode, entryAddress } = service;
  if (serviceHandling === ServiceHandling.Ebpf) {
    const admitted = clients.filter((client) => !droppedClients.includes(client.name));
    return { source: ({ address }) => address, reply: REPLY[returnMode], admitted };
  }
  return { source: () => entryAddress, reply: REPLY.tunnel, admitted: droppedClients.length > 0 ? [] : clients };
}

/**
 * The check file (format: `verify/`) for a service.
 *
 * Policies of Kubernetes add up, so "without the policy" is shown by one more that admits every client for a moment: the
 * policies that protect the service stay in force, also when the check is killed half-way.
 */
export function sourceIpCheck(service: ServiceUnderTest) {
  const seen = seenThrough(service);
  const { admitted } = seen;
  const asDeclared = [
    ...admitted.map((client) => served(service, seen, client)),
    ...service.clients.filter((client) => !admitted.includes(client)).map((client) => dropped(service, client)),
    ...service.expectations,
  ];
  const opening = admitEveryClient(service, seen);
  const everybody = { apply: [opening], expect: service.clients.map((client) => served(service, seen, client)) };
  const onlyAdmitted = { delete: [identityOf(opening)], expect: asDeclared, within: PATIENCE };
  return {
    name: service.name,
    steps: service.droppedClients.length > 0 ? [everybody, onlyAdmitted] : [{ expect: asDeclared, within: PATIENCE }],
  };
}

function served(service: ServiceUnderTest, { source, reply }: Seen, client: MachineAddress) {
  return { ...attempt(service, client), verdict: "allowed", source: source(client), reply };
}

function dropped(service: ServiceUnderTest, client: MachineAddress) {
  return { ...attempt(service, client), verdict: "dropped" };
}

function attempt(service: ServiceUnderTest, client: MachineAddress) {
  return { from: client.name, to: `tcp://${service.entryAddress}:${service.nodePort}` };
}

function admitEveryClient(service: ServiceUnderTest, { source }: Seen) {
  const sources = [...new Set(service.clients.map(source))];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "source-ip-verification", namespace: service.namespace },
    spec: {
      podSelector: { matchLabels: service.podLabels },
      policyTypes: ["Ingress"],
      ingress: [{ from: sources.map((address) => ({ ipBlock: { cidr: `${address}/32` } })) }],
    },
  };
}

function identityOf({ apiVersion, kind, metadata }: ReturnType<typeof admitEveryClient>) {
  return { apiVersion, kind, metadata };
}
