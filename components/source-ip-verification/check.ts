import type * as pulumi from "@pulumi/pulumi";
import { type ReturnMode, ServiceHandling } from "../dataplane/args.ts";
import type { MachineAddress } from "../machine/machine.ts";
import { isIpv6 } from "../rules/addresses.ts";
import type { ProbeServer } from "./args.ts";
import { asWritten, type Expectation } from "./expectation.ts";

/** A target in the words of check files. */
export interface KnownTarget {
  /** Like tcp://172.31.1.8:30604. */
  to: string;
  /** The node's address in it, where one is given. */
  entryAddress?: string;
  /** Pods that connect to it; absent: the clients do. */
  from?: string[];
}

/** What is to be shown about a service. */
export interface ServiceUnderTest {
  name: string;
  targets: KnownTarget[];
  namespace: string;
  podLabels: Record<string, string>;
  returnMode: ReturnMode;
  serviceHandling: ServiceHandling;
  clients: MachineAddress[];
  /** Names of clients that the policies in force must keep out. */
  droppedClients: string[];
  /** What must hold besides. */
  expectations: pulumi.Unwrap<Expectation>[];
  /** Probe servers on machines and nodes meanwhile. */
  listen: ProbeServer[];
}

/** Seconds: a cluster's own pods (CoreDNS, say) start only once the dataplane is there. */
const PATIENCE = 60;

/** How a reply that reached the client is said to have travelled, in the words of check files. */
const REPLY = { dsr: "direct", tunnel: "viaEntryNode" };

/** What the pods see of the clients. kube-proxy gives each packet the address of the node that it entered by, so that replies
 * come back there: policies by client address then keep everybody out. */
interface Seen {
  source(client: MachineAddress, target: KnownTarget): string;
  reply: string;
  /** Clients that the policies in force let in. */
  admitted: MachineAddress[];
}

/** The address from which a client connects to a target. */
function addressOf({ address, addressIpv6 = address }: MachineAddress, { entryAddress = "" }: KnownTarget): string {
  return isIpv6(entryAddress) ? addressIpv6 : address;
}

function seenThrough(service: ServiceUnderTest): Seen {
  const { clients, droppedClients, serviceHandling, returnMode } = service;
  if (serviceHandling === ServiceHandling.Ebpf) {
    const admitted = clients.filter((client) => !droppedClients.includes(client.name));
    return { source: addressOf, reply: REPLY[returnMode], admitted };
  }
  return {
    source: (_, { entryAddress = "" }) => entryAddress,
    reply: REPLY.tunnel,
    admitted: droppedClients.length > 0 ? [] : clients,
  };
}

/**
 * The check file (format: `verify/`) for a service.
 *
 * Policies of Kubernetes add up, so "without the policy" is shown by one more that admits every client for a moment: the
 * policies that protect the service stay in force, also when the check is killed half-way.
 */
export function sourceIpCheck(service: ServiceUnderTest) {
  const { targets, clients, expectations } = service;
  const seen = seenThrough(service);
  const nodePorts = targets.filter(({ from }) => from === undefined);
  const served = (client: MachineAddress) =>
    nodePorts.map((target) => ({
      from: client.name,
      to: target.to,
      verdict: "allowed",
      source: seen.source(client, target),
      reply: seen.reply,
    }));
  const dropped = (client: MachineAddress) =>
    nodePorts.map(({ to }) => ({ from: client.name, to, verdict: "dropped" }));
  const isAdmitted = (client: MachineAddress) => seen.admitted.includes(client);
  const asDeclared = [
    ...clients.filter(isAdmitted).flatMap(served),
    ...clients.filter((client) => !isAdmitted(client)).flatMap(dropped),
    ...targets.flatMap(fromPods),
    ...expectations.map(asWritten),
  ];
  const sources = clients.flatMap((client) => nodePorts.map((target) => seen.source(client, target)));
  const opening = admitEveryClient(service, [...new Set(sources)]);
  const everybody = { apply: [opening], expect: clients.flatMap(served) };
  const onlyAdmitted = { delete: [identityOf(opening)], expect: asDeclared, within: PATIENCE };
  const opens = service.droppedClients.length > 0 && nodePorts.length > 0;
  return {
    name: service.name,
    ...(service.listen.length > 0 && { listen: service.listen }),
    steps: opens ? [everybody, onlyAdmitted] : [{ expect: asDeclared, within: PATIENCE }],
  };
}

/** Pods are seen with their own addresses too. */
function fromPods({ to, from = [] }: KnownTarget) {
  return from.map((pods) => ({ from: pods, to, verdict: "allowed", source: pods }));
}

function admitEveryClient(service: ServiceUnderTest, sources: string[]) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "source-ip-verification", namespace: service.namespace },
    spec: {
      podSelector: { matchLabels: service.podLabels },
      policyTypes: ["Ingress"],
      ingress: [
        { from: sources.map((address) => ({ ipBlock: { cidr: `${address}/${isIpv6(address) ? 128 : 32}` } })) },
      ],
    },
  };
}

function identityOf({ apiVersion, kind, metadata }: ReturnType<typeof admitEveryClient>) {
  return { apiVersion, kind, metadata };
}
