import type { Address } from "../address/address.ts";
import { Latest } from "../memo.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import {
  type Host,
  type HostInterface,
  type HostObjects,
  type HostPeer,
  hostAsSubject,
  hostsOf,
  labelledAddresses,
  type OwnHosts,
  ownHosts,
  portsOf,
} from "./hosts.ts";
import { type Decision, OPEN, UNDECIDED } from "./rules.ts";
import type { Subject } from "./subject.ts";

/** The traffic that policies of a host endpoint may be about: of the node's own processes, forwarded by the node, arriving as its sender
 * wrote it, and every packet without its connection. */
export const hostTraffics = ["own", "forwarded", "preDNAT", "doNotTrack"] as const;
export type HostTraffic = (typeof hostTraffics)[number];

/** A host endpoint as policies for one kind of traffic see it. */
export interface HostSubject {
  readonly host: Host;
  readonly traffic: HostTraffic;
}

/** The host endpoints of a cluster, as one node needs them. */
export interface HostDirectory {
  readonly own: OwnHosts;
  /** This node's host endpoints, to which policies apply. */
  readonly subjects: ReadonlyMap<HostSubject, Subject>;
  /** By address, of all nodes: how policies know them as peers. */
  readonly labels: ReadonlyMap<Address, readonly HostPeer[]>;
}

/** Finds them. What did not change since the last time is the very same object. */
export class HostDirectories {
  readonly #hosts = new Latest<readonly Host[]>();
  readonly #directory = new Latest<HostDirectory>();

  of(objects: HostObjects, nodes: NodeDirectory, interfaces: readonly HostInterface[]): HostDirectory {
    const now = hostsOf(objects);
    // Nodes' objects change with every heartbeat.
    const hosts = this.#hosts.get([JSON.stringify(now)], () => now);
    return this.#directory.get([hosts, nodes, interfaces], () => directoryOf(hosts, nodes, interfaces));
  }
}

function directoryOf(
  hosts: readonly Host[],
  nodes: NodeDirectory,
  interfaces: readonly HostInterface[],
): HostDirectory {
  const { nodeName } = nodes.facts;
  const own = ownHosts(hosts, nodeName, interfaces);
  const everywhere = [...nodes.addresses].flatMap(([address, node]) => (node === nodeName ? [address] : []));
  const addresses = new Map<Host, readonly Address[]>();
  if (own.others) addresses.set(own.others, everywhere);
  for (const [uplink, host] of own.byInterface)
    addresses.set(host, [...(addresses.get(host) ?? []), ...uplink.addresses]);
  const subjects = [...addresses].flatMap(([host, its]) =>
    hostTraffics.map((traffic) => [{ host, traffic }, subjectOf(host, its, traffic)] as const),
  );
  return { own, subjects: new Map(subjects), labels: labelledAddresses(hosts, nodes) };
}

function subjectOf(host: Host, addresses: readonly Address[], traffic: HostTraffic): Subject {
  return {
    who: hostAsSubject(host),
    ports: portsOf(host),
    addresses,
    ...ASKED[traffic](host),
  };
}

const isNormal = ({ stage }: CompiledPolicy) => stage === "normal";

const OTHERS = { ownEnd: "anybody" } as const;

/** "Forwarded traffic is allowed if no policy with applyOnForward applies"; what no preDNAT or doNotTrack policy decides goes on. */
const ASKED: Readonly<Record<HostTraffic, (host: Host) => Pick<Subject, "afterwards" | "asks" | "ownEnd">>> = {
  own: (host) => ({
    afterwards: host.otherwise === "allow" ? OPEN : closedAfterwards(host),
    asks: isNormal,
    ownEnd: "itself",
  }),
  forwarded: () => ({ ...OTHERS, afterwards: OPEN, asks: (policy) => isNormal(policy) && policy.applyOnForward }),
  preDNAT: () => ({ ...OTHERS, afterwards: UNDECIDED, asks: ({ stage }) => stage === "preDNAT" }),
  doNotTrack: () => ({ ...OTHERS, afterwards: UNDECIDED, asks: ({ stage }) => stage === "doNotTrack" }),
};

function closedAfterwards({ owner }: Host): Decision {
  return { verdict: "deny", reason: `${owner} is closed to what no policy allows` };
}
