import type { Address } from "../address/address.ts";
import { Latest } from "../memo.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import {
  type Host,
  type HostInterface,
  type HostObjects,
  hostAsSubject,
  hostsOf,
  labelledAddresses,
  type OwnHosts,
  ownHosts,
} from "./hosts.ts";
import { portName } from "./judge.ts";
import { type Decision, OPEN } from "./rules.ts";
import type { Subject } from "./subject.ts";
import type { Who } from "./workload-selector.ts";

/** The host endpoints of a cluster, as one node needs them. */
export interface HostDirectory {
  readonly own: OwnHosts;
  /** This node's, whom policies apply to. */
  readonly subjects: ReadonlyMap<Host, Subject>;
  /** By address, of all nodes: as whom policies meet them as peers. */
  readonly labels: ReadonlyMap<Address, readonly Who[]>;
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
  const subjects = new Map<Host, Subject>();
  if (own.others) subjects.set(own.others, subjectOf(own.others, everywhere));
  for (const [{ addresses }, host] of own.byInterface) {
    const known = subjects.get(host)?.addresses ?? [];
    subjects.set(host, subjectOf(host, [...known, ...addresses]));
  }
  return { own, subjects, labels: labelledAddresses(hosts, nodes) };
}

function subjectOf(host: Host, addresses: readonly Address[]): Subject {
  return {
    who: hostAsSubject(host),
    ports: new Map(host.ports.map(({ name, protocol, port }) => [portName(protocol, name), port])),
    addresses,
    afterwards: host.otherwise === "allow" ? OPEN : closedAfterwards(host),
    asks: ({ stage }) => stage === "normal",
  };
}

function closedAfterwards({ owner }: Host): Decision {
  return { verdict: "deny", reason: `${owner} is closed to what no policy allows` };
}
