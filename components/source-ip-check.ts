import type { ReturnMode } from "./dataplane-args";
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

/**
 * The check file (format: `verify/`) for a service.
 *
 * Policies of Kubernetes add up, so "without the policy" is shown by one more that admits every client for a moment: the
 * policies that protect the service stay in force, also when the check is killed half-way.
 */
export function sourceIpCheck(service: ServiceUnderTest) {
  const admitted = service.clients.filter((client) => !service.droppedClients.includes(client.name));
  const asDeclared = [
    ...admitted.map((client) => served(service, client)),
    ...service.clients.filter((client) => !admitted.includes(client)).map((client) => dropped(service, client)),
    ...service.expectations,
  ];
  const opening = admitEveryClient(service);
  const everybody = { apply: [opening], expect: service.clients.map((client) => served(service, client)) };
  const onlyAdmitted = { delete: [identityOf(opening)], expect: asDeclared, within: PATIENCE };
  return {
    name: service.name,
    steps: service.droppedClients.length > 0 ? [everybody, onlyAdmitted] : [{ expect: asDeclared, within: PATIENCE }],
  };
}

function served(service: ServiceUnderTest, client: MachineAddress) {
  const expectation = { ...attempt(service, client), verdict: "allowed", source: client.address };
  return { ...expectation, reply: REPLY[service.returnMode] };
}

function dropped(service: ServiceUnderTest, client: MachineAddress) {
  return { ...attempt(service, client), verdict: "dropped" };
}

function attempt(service: ServiceUnderTest, client: MachineAddress) {
  return { from: client.name, to: `tcp://${service.entryAddress}:${service.nodePort}` };
}

function admitEveryClient(service: ServiceUnderTest) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "source-ip-verification", namespace: service.namespace },
    spec: {
      podSelector: { matchLabels: service.podLabels },
      policyTypes: ["Ingress"],
      ingress: [{ from: service.clients.map((client) => ({ ipBlock: { cidr: `${client.address}/32` } })) }],
    },
  };
}

function identityOf({ apiVersion, kind, metadata }: ReturnType<typeof admitEveryClient>) {
  return { apiVersion, kind, metadata };
}
