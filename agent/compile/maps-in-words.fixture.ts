import { familyOf } from "../../model/address/address.ts";
import { protocolName } from "../../model/protocol.ts";
import {
  ANY_INTERFACE,
  BackendFlag,
  backendFlagNames,
  Direction,
  EGRESS_GATEWAYS,
  EgressHow,
  EndpointFlag,
  FROM_WORKLOADS,
  HostStage,
  hostStageNames,
  type JudgedHost,
  locationFlagNames,
  POLICY_ANY_IDENTITY,
  type PolicyKey,
  policyVerdictNames,
  returnModeNames,
  ServiceFlag,
  ServiceHandling,
  SettingsFlag,
  SocketTranslation,
  serviceFlagNames,
  TABLE_FIRST,
  TUNNEL_CLIENTS,
} from "../kernel/layout.gen.ts";
import type { MapStores } from "../kernel/map-store.ts";
import { mayUse, NO_ADDRESS } from "../kernel/workload.ts";
import { clientsText, withTimes } from "../observe/inspect/words.ts";
import type { WrittenMap } from "./desired.ts";
import { keyText } from "./key.ts";

/** The maps' content for people: numbers replaced by what they stand for, sorted, one line each. */
export interface MapsInWords {
  readonly services: readonly string[];
  readonly backends: readonly string[];
  readonly addresses: readonly string[];
  readonly endpoints: readonly string[];
  readonly hosts: readonly string[];
  readonly egress: readonly string[];
  readonly policies: readonly string[];
  readonly settings: readonly string[];
}

type Readable = { readonly [M in WrittenMap]: Pick<MapStores[M], "entries" | "lookup"> };

/** Reads the maps themselves, so what it shows is what the packet path sees. */
export function mapsInWords(maps: Readable): MapsInWords {
  return {
    services: services(maps).sort(),
    backends: backends(maps).sort(),
    addresses: addresses(maps).sort(),
    endpoints: endpoints(maps).sort(),
    hosts: hosts(maps).sort(),
    egress: egress(maps).sort(),
    policies: policies(maps),
    settings: settings(maps),
  };
}

/** "node port 30604/tcp -> 10.244.0.66:80, 10.244.0.67:80 (1 here; external_local)" */
function services({ frontends, slots, backends: all, sourceRanges }: Readable): string[] {
  const sets = Map.groupBy(sourceRanges.entries(), ([{ set }]) => set);
  /** How many entries of a table each backend has, in the order of addresses. */
  const shares = (backendList: number, size: number) => {
    const entries = Array.from({ length: size }, (_, index) => {
      const backend = all.lookup(slots.lookup({ backendList, index: TABLE_FIRST + index }) ?? 0);
      return backend ? `${backend.address}:${backend.port}` : "a missing backend";
    });
    const counts = [...Map.groupBy(entries, (name) => name)].map(([name, found]) => `${name} ${found.length}`);
    return counts.sort().join(", ");
  };
  return frontends.entries().map(([key, value]) => {
    const {
      backendList,
      backendCount,
      localCount,
      clusterFirst,
      affinitySeconds,
      flags,
      sourceRanges: set,
      tableSize,
    } = value;
    const targets = Array.from({ length: backendCount }, (_, index) => {
      const backend = all.lookup(slots.lookup({ backendList, index }) ?? 0);
      return backend ? `${backend.address}:${backend.port}` : "a missing backend";
    });
    const notes = [
      `${new Set(targets.slice(0, localCount)).size} here`,
      ...(clusterFirst ? [`${new Set(targets.slice(0, clusterFirst)).size} local only`] : []),
      ...flagNames(flags, serviceFlagNames),
      ...(flags & ServiceFlag.AFFINITY ? [`${affinitySeconds} s`] : []),
      ...(set ? [`only from ${clientsText((sets.get(set) ?? []).map(([range]) => keyText.sourceRanges(range)))}`] : []),
      ...(tableSize ? [`Maglev table of ${tableSize}: ${shares(backendList, tableSize)}`] : []),
    ];
    return `${keyText.frontends(key)} -> ${withTimes(targets).join(", ") || "none"} (${notes.join("; ")})`;
  });
}

/** "10.244.0.66:80/tcp at 172.31.1.207 (local)" */
function backends({ backends: all }: Readable): string[] {
  return all.entries().map(([, { address, port, protocol, node, flags }]) => {
    const isItself = flags & BackendFlag.HOST_NETWORK && node === address;
    const at = isItself || node === "::" ? "" : ` at ${node}`;
    return `${address}:${port}/${protocolName(protocol)}${at}${notes(flagNames(flags, backendFlagNames))}`;
  });
}

/** "10.244.0.64/26 at 172.31.1.207 (pool; nat_outgoing)" */
function addresses({ locations }: Readable): string[] {
  return locations.entries().map(([key, { flags, node }]) => {
    const at = node === "::" ? "" : ` at ${node}`;
    return `${keyText.locations(key)}${at}${notes(flagNames(flags, locationFlagNames))}`;
  });
}

/** "10.244.0.2 on interface 7 (ingress_isolated)" */
function endpoints({ endpoints: all, interfaces }: Readable): string[] {
  return all.entries().map(([address, { ifindex, flags }]) => {
    const attached = mayUse(interfaces.lookup(ifindex), address) ? "" : " (may not send)";
    return `${address} on interface ${ifindex}${attached}${notes(isolated(flags))}`;
  });
}

/** "this host on interface 2 (ingress_isolated)" */
function hosts({ hostEndpoints: all }: Readable): string[] {
  return all.entries().map(([key, { flags }]) => `${hostName(key)}${notes(isolated(flags))}`);
}

function hostName({ interface: ifindex, stage }: JudgedHost): string {
  if (ifindex === FROM_WORKLOADS) return "this host, from workloads,";
  const at = ifindex === ANY_INTERFACE ? "every interface" : `interface ${ifindex}`;
  return `this host on ${at}${stage === HostStage.OWN ? "" : `, ${hostStageNames.get(stage)},`}`;
}

const EGRESS_WORDS: Readonly<Record<number, string>> = {
  [EgressHow.PLAIN]: "as the pool says",
  [EgressHow.NONE]: "nothing leaves",
  [EgressHow.NODE]: "by the node",
  [EgressHow.HERE]: "by this node",
};

/** "10.244.0.66 to 203.0.113.0/24: by the node 172.31.1.8"; "gateway 172.31.1.8" is ready. */
function egress({ egressGroups, egressWays }: Readable): string[] {
  const members = Map.groupBy(egressGroups.entries(), ([, group]) => group);
  return egressWays.entries().map(([{ group, destination, prefixLength }, { how, address }]) => {
    if (group === EGRESS_GATEWAYS) return `gateway ${destination}`;
    const from = (members.get(group) ?? []).map(([member]) => member).sort();
    const bits = prefixLength - (familyOf(destination) === "IPv4" ? 128 : 32);
    const at = address === NO_ADDRESS ? "" : ` ${address}`;
    return `${from.join(", ")} to ${destination}/${bits}: ${EGRESS_WORDS[how]}${at}`;
  });
}

function isolated(flags: number): string[] {
  return [
    ...(flags & EndpointFlag.INGRESS_ISOLATED ? ["ingress_isolated"] : []),
    ...(flags & EndpointFlag.EGRESS_ISOLATED ? ["egress_isolated"] : []),
  ];
}

/** "10.244.0.2 from 172.31.1.55/32: tcp 80 allow" and "… from others: tcp 443 allow", for each endpoint. */
function policies({ endpoints: all, hostEndpoints, locations, policies: entries }: Readable): string[] {
  const peers = new Map<number, string[]>();
  for (const [key, { identity }] of locations.entries()) {
    peers.set(identity, [...(peers.get(identity) ?? []), keyText.locations(key)].sort());
  }
  const subjects = new Map<number, string[]>();
  for (const [address, { policy }] of all.entries()) {
    subjects.set(policy, [...(subjects.get(policy) ?? []), address].sort());
  }
  for (const [key, { policy }] of hostEndpoints.entries()) {
    subjects.set(policy, [...(subjects.get(policy) ?? []), hostName(key)].sort());
  }
  const line = ([key, { verdict }]: [PolicyKey, { verdict: number }]) => {
    const subject = subjects.get(key.policy)?.join(" ") ?? "none";
    const peer = key.identity === POLICY_ANY_IDENTITY ? "others" : (peers.get(key.identity)?.join(" ") ?? "none");
    const side = key.direction === Direction.INGRESS ? "from" : "to";
    const port = keyText.policies(key).split(" ").slice(3).join(" ");
    return `${subject} ${side} ${peer}: ${port} ${policyVerdictNames.get(verdict)}`;
  };
  return entries.entries().map(line).sort();
}

function settings({ settings: all, sourceRanges }: Readable): string[] {
  const optedOut = sourceRanges
    .entries()
    .filter(([{ set }]) => set === TUNNEL_CLIENTS)
    .map(([range]) => keyText.sourceRanges(range));
  return all
    .entries()
    .map(
      ([, { node, returnMode, serviceHandling, socketTranslation, flags }]) =>
        `node ${node}, return mode ${returnModeNames.get(returnMode)}` +
        (flags & SettingsFlag.TUNNEL_CLIENTS ? `, tunnel for ${clientsText(optedOut)}` : "") +
        (serviceHandling === ServiceHandling.LEFT_TO_HOST ? ", services left to kube-proxy" : "") +
        (socketTranslation === SocketTranslation.HOST_ONLY ? ", sockets of workloads left alone" : ""),
    );
}

function flagNames(flags: number, names: ReadonlyMap<number, string>): string[] {
  return [...names].filter(([bit]) => flags & bit).map(([, name]) => name);
}

function notes(items: readonly string[]): string {
  return items.length > 0 ? ` (${items.join("; ")})` : "";
}
