// Readable views of the maps, one function for each. They read any MapStores.

import { frontendText, OTHER_PORTS } from "../../../model/service/frontend.ts";
import { keyText } from "../../compile/key.ts";
import {
  BackendFlag,
  backendFlagNames,
  type Connection,
  ConnectionFlag,
  connectionFlagNames,
  directionNames,
  EndpointFlag,
  POLICY_OWN_SIDE,
  POLICY_SOURCE_PORT,
  PolicyFlag,
  type PolicyKey,
  type PolicyValue,
  PolicyVerdict,
  policyVerdictNames,
  serviceFlagNames,
  type Tuple,
} from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";
import type { OutcomeTotals } from "../../kernel/outcomes.ts";
import { mayUse } from "../../kernel/workload.ts";
import { type ConnectionFilter, connectionFilter } from "./connection-filter.ts";
import { sorted, type View } from "./table.ts";
import {
  addressAndPort,
  age,
  clientsText,
  flagNames,
  identity,
  logName,
  type NumberNames,
  protocol,
  protocolAndPorts,
  ruleName,
  withTimes,
} from "./words.ts";

export function services({ frontends, slots, backends, sourceRanges }: MapStores): View {
  const sets = Map.groupBy(sourceRanges.entries(), ([{ set }]) => set);
  const backendsById = new Map(backends.entries());
  const bySlot = new Map(
    slots.entries().map(([{ backendList, index }, backend]) => [`${backendList}/${index}`, backend]),
  );
  const rows = frontends.entries().map(([frontend, service]) => {
    const chosen = Array.from({ length: service.backendCount }, (_, index) => {
      const backend = backendsById.get(bySlot.get(`${service.backendList}/${index}`) ?? 0);
      const name = backend ? addressAndPort(backend.address, backend.port) : "missing";
      return index < service.clusterFirst ? `${name}(local only)` : name;
    });
    return [
      frontend.port === OTHER_PORTS
        ? frontendText(frontend)
        : `${addressAndPort(frontend.address, frontend.port)}/${protocol(frontend.protocol)}`,
      service.backendList,
      withTimes(chosen).join(" ") || "none: rejected",
      new Set(chosen.slice(0, service.localCount)).size,
      [flagNames(service.flags, serviceFlagNames), service.tableSize ? "maglev" : ""].filter(Boolean).join(", "),
      service.sourceRanges === 0
        ? "all"
        : clientsText((sets.get(service.sourceRanges) ?? []).map(([range]) => keyText.sourceRanges(range))),
    ];
  });
  return {
    columns: ["frontend", "id", "backends", "local", "flags", "clients"],
    rows: sorted(rows),
    empty: "There are no services.",
  };
}

export function backends({ backends }: MapStores): View {
  const rows = backends
    .entries()
    .map(([id, { address, port, protocol: number, node, flags }]) => [
      id,
      `${addressAndPort(address, port)}/${protocol(number)}`,
      (flags & BackendFlag.LOCAL) !== 0 ? "this node" : node,
      flagNames(flags & ~BackendFlag.LOCAL, backendFlagNames),
    ]);
  return { columns: ["id", "backend", "node", "flags"], rows: sorted(rows), empty: "There are no backends." };
}

export function endpoints({ endpoints, interfaces }: MapStores, names: NumberNames): View {
  const addressesOf = new Map(interfaces.entries());
  const rows = endpoints
    .entries()
    .map(([address, endpoint]) => [
      address,
      endpoint.ifindex,
      endpoint.policy === 0 ? "none" : (names.policies.get(endpoint.policy) ?? endpoint.policy),
      isolation(endpoint.flags),
      endpoint.mac,
      mayUse(addressesOf.get(endpoint.ifindex), address) ? "" : "may not send: its interface has no entry",
    ]);
  return {
    columns: ["address", "ifindex", "policy", "isolated", "mac", "note"],
    rows: sorted(rows),
    empty: "There are no workload endpoints on this node.",
  };
}

/** Entries of the compiled policies, by the endpoints that they apply to. */
export function policies({ policies, endpoints }: MapStores, names: NumberNames): View {
  const subjects = new Map<number, string[]>();
  for (const [address, { policy }] of endpoints.entries())
    subjects.set(policy, [...(subjects.get(policy) ?? []), address].sort());
  const rows = policies
    .entries()
    .map(([key, value]) => [
      names.policies.get(key.policy) ?? key.policy,
      subjects.get(key.policy)?.join(" ") ?? "none",
      directionNames.get(key.direction & ~(POLICY_SOURCE_PORT | POLICY_OWN_SIDE)) ?? key.direction,
      whoText(key, names),
      `${key.direction & POLICY_SOURCE_PORT ? "source port " : ""}${protocolAndPorts(key.prefixLength, key.protocol, key.port)}`,
      policyValueText(key, value, names),
    ]);
  return {
    columns: ["policy", "of", "direction", "peer", "traffic", "verdict"],
    rows: sorted(rows),
    empty: "No policy selects an endpoint of this node.",
  };
}

/** The policy's peer. If an entry leads to another policy, the end on the policy's own side. */
function whoText({ direction, identity: number }: PolicyKey, names: NumberNames): string {
  if (direction & POLICY_SOURCE_PORT) return `table ${number}`;
  return `${direction & POLICY_OWN_SIDE ? "own end: " : ""}${identity(number, names)}`;
}

function policyValueText(key: PolicyKey, { verdict, flags, rule }: PolicyValue, names: NumberNames): string {
  const logged = flags & PolicyFlag.LOGGED ? ` and log by ${logName(rule, names)}` : "";
  const word = `${policyVerdictNames.get(verdict) ?? verdict}${logged}`;
  if (verdict === PolicyVerdict.BY_OWN_SIDE) return `by own end: policy ${rule}`;
  if (verdict === PolicyVerdict.BY_SOURCE_PORT) return `by source port: table ${rule}`;
  return verdict === PolicyVerdict.DENY && rule !== 0
    ? `${word}: ${ruleName(key.policy, key.direction, rule, names)}`
    : word;
}

/** `now`: the kernel's monotonic clock in nanoseconds. */
export function connections(
  { connections, halfOpen }: Pick<MapStores, "connections" | "halfOpen">,
  filter: ConnectionFilter,
  now: bigint,
): View {
  const wanted = connectionFilter(filter);
  const { client } = wanted;
  // A full table has hundreds of thousands of entries.
  const isOfClient = ({ source, destination }: Tuple) => client === undefined || [source, destination].includes(client);
  const established = [...connections.read(isOfClient)].map((entry) => [...entry, "established"] as const);
  const rows = [...established, ...[...halfOpen.read(isOfClient)].map((entry) => [...entry, "half open"] as const)]
    .filter(([tuple, connection]) => matches(tuple, connection, wanted))
    .map(([tuple, connection, state]) => [
      protocol(tuple.protocol),
      `${addressAndPort(tuple.source, tuple.sourcePort)} > ${addressAndPort(tuple.destination, tuple.destinationPort)}`,
      translation(connection),
      Number(connection.packets),
      age(now - connection.lastSeen),
      state,
      flagNames(connection.flags, connectionFlagNames),
    ]);
  return {
    columns: ["protocol", "packet", "translated to", "packets", "idle", "state", "flags"],
    rows: sorted(rows),
    empty: "No connection matches.",
  };
}

/** Load balancers' addresses that this node answers for. `now`: the kernel's monotonic clock in nanoseconds. */
export function announcements({ announced }: Pick<MapStores, "announced">, now: bigint): View {
  const rows = announced
    .entries()
    .map(([{ address, interface: ifindex }, { until, mac }]) => [
      address,
      ifindex,
      mac,
      until > now ? "" : "silent: the agent has not renewed it",
    ]);
  return {
    columns: ["address", "ifindex", "mac", "note"],
    rows: sorted(rows),
    empty: "This node announces no load balancer's address.",
  };
}

export function outcomes(totals: OutcomeTotals): View {
  const counted = [...totals].filter(([, { packets }]) => packets > 0n);
  const isXdp = counted.some(([, { early }]) => early > 0n);
  const rows = counted.map(([name, { packets, bytes, early }]) => [
    ...[name, Number(packets), Number(bytes)],
    ...(isXdp ? [Number(early)] : []),
  ]);
  return { columns: ["outcome", "packets", "bytes", ...(isXdp ? ["by XDP"] : [])], rows, empty: "No packets yet." };
}

// For a reply the directions are reversed: its destination is the client, its translation the frontend.
function matches(tuple: Tuple, { flags, address, port }: Connection, { client, frontend }: ConnectionFilter): boolean {
  const reply = (flags & ConnectionFlag.REPLY) !== 0;
  const translated = (flags & ConnectionFlag.TRANSLATED) !== 0;
  const from = reply ? tuple.destination : tuple.source;
  const used: [string, number] = !reply
    ? [tuple.destination, tuple.destinationPort]
    : translated
      ? [address, port]
      : [tuple.source, tuple.sourcePort];
  if (client !== undefined && client !== from) return false;
  return frontend === undefined || frontend === used[0] || frontend === addressAndPort(...used);
}

function translation({ flags, address, port, node }: Connection): string {
  if ((flags & ConnectionFlag.FORWARDED) !== 0) return `encapsulated to node ${node}`;
  const via = (flags & ConnectionFlag.VIA_ENTRY) !== 0 ? ` via node ${node}` : "";
  return (flags & ConnectionFlag.TRANSLATED) !== 0 ? addressAndPort(address, port) + via : via.trim();
}

function isolation(flags: number): string {
  const names = [
    (flags & EndpointFlag.INGRESS_ISOLATED) !== 0 ? "ingress" : "",
    (flags & EndpointFlag.EGRESS_ISOLATED) !== 0 ? "egress" : "",
    (flags & EndpointFlag.ASKED_TO_NODE) !== 0 ? "to its node too" : "",
  ];
  return names.filter(Boolean).join(", ") || "no";
}
