import type { Address } from "../../model/address/address.ts";
import { canonicalAddress, hostCidr } from "../../model/address/address.ts";
import { Latest, Memo } from "../../model/memo.ts";
import type { NodeDirectory } from "../../model/node/nodes.ts";
import { hasEnded, type Pod } from "../../model/objects/core.ts";
import { objectName } from "../../model/objects/metadata.ts";
import { addressesOf, isPodOf, podOwner } from "../../model/objects/pod-of.ts";
import type { HostDirectory } from "../../model/policy/host-directory.ts";
import { type Identity, IdentityMemory, IdentityTable } from "../../model/policy/identity.ts";
import type { Vocabulary } from "../../model/policy/vocabulary.ts";
import { podAsSubject } from "../../model/policy/who.ts";
import type { Who } from "../../model/policy/workload-selector.ts";
import type { PoolDirectory } from "../../model/pool/pools.ts";
import { each, type Steps } from "../../model/steps.ts";
import { type Location, LocationFlag, type Prefix } from "../kernel/layout.gen.ts";
import { addressBook, type PlacedAddress, prefixOf } from "./addresses.ts";
import type { Contribution, Contributions } from "./desired.ts";
import { type Displaced, idOf, Numbering } from "./ids.ts";
import { poolFlags } from "./pools.ts";
import type { ClusterSnapshot, LocalEndpoint } from "./snapshot.ts";

export interface LocationMap {
  readonly locations: Contributions<Prefix, Location>;
  /** The identities in use, with their numbers: policies need a verdict for each. */
  readonly identities: ReadonlyMap<Identity, number>;
  /** What each identity's addresses match, by its number. */
  readonly names: ReadonlyMap<number, string>;
  /** Of this node's endpoints, by address; 0 is none. An endpoint whose pod is not known yet is absent. */
  readonly endpointIdentities: ReadonlyMap<Address, number>;
}

const NO_HOSTS: HostDirectory["labels"] = new Map();

interface PlacedPod extends PlacedAddress {
  /** Its interface on this node. */
  readonly endpoint: LocalEndpoint | undefined;
}

/** Compiles the map `locations`: identity and location of every address. */
export class LocationCompiler {
  readonly #result = new Latest<LocationMap>();
  readonly #memory = new IdentityMemory();
  readonly #table = new Latest<IdentityTable>();
  readonly #subjects = new Memo<Pod, Who>();
  readonly #book = new Latest<readonly PlacedAddress[]>();
  readonly #pods = new Memo<Pod, readonly PlacedPod[]>();
  readonly #ids = new Numbering<Identity>(({ name }) => [name]);
  readonly #contributions = new Memo<PlacedAddress, Contribution<Prefix, Location>>();

  /** Returns the same object as before if its inputs did not change. */
  compile(
    snapshot: ClusterSnapshot,
    vocabulary: Vocabulary,
    nodes: NodeDirectory,
    pools: PoolDirectory,
    hosts: HostDirectory["labels"] = NO_HOSTS,
  ): Steps<LocationMap> {
    const { pods, namespaces, serviceAccounts, endpoints } = snapshot;
    const inputs = [pods, namespaces, serviceAccounts, endpoints, vocabulary, nodes, pools, hosts];
    return this.#result.getting(inputs, () => this.#compile(snapshot, vocabulary, nodes, pools, hosts));
  }

  *#compile(
    snapshot: ClusterSnapshot,
    vocabulary: Vocabulary,
    nodes: NodeDirectory,
    pools: PoolDirectory,
    hosts: HostDirectory["labels"],
  ): Steps<LocationMap> {
    const table = this.#table.get([vocabulary], () => new IdentityTable(vocabulary, snapshot.facts.salt, this.#memory));
    // Selectors mean hosts' addresses, and of blocks only those that the vocabulary has.
    const ofBlocks = [table.ofBlocks, hosts, hosts.size > 0 ? table : undefined];
    const book = yield* this.#book.getting([nodes, pools, ...ofBlocks], () => addressBook(nodes, pools, table, hosts));
    const pods = yield* this.#placePods(snapshot, table, nodes, pools);
    const used = new Set<Identity>();
    const lines: PlacedAddress[] = [];
    yield* each([...book, ...pods.values()], (line) => {
      if (line.key.prefixLength === 128 && !("endpoint" in line) && pods.has(line.key.address)) return;
      lines.push(line);
      if (line.identity) used.add(line.identity);
    });
    this.#memory.forgetUnused(used);
    const displaced = yield* this.#ids.assigning([...used]);
    const locations: Contribution<Prefix, Location>[] = [];
    yield* each(lines, (line) =>
      locations.push(this.#contributions.get(line, [displaced], () => lower(line, displaced))),
    );
    const identities = new Map<Identity, number>();
    const names = new Map<number, string>();
    yield* each(used, (identity) => {
      const number = idOf(displaced, identity.name);
      identities.set(identity, number);
      names.set(number, identity.name.name);
    });
    return {
      locations,
      identities,
      names,
      endpointIdentities: new Map(
        snapshot.endpoints.flatMap((endpoint) =>
          addressesOf(endpoint).flatMap((address) => {
            const line = pods.get(address);
            // An address may have come back from another pod that is still listed: that pod's identity is not this one's.
            if (line?.owner !== podOwner(endpoint) || line.endpoint !== endpoint) return [];
            return [[address, numberOf(line.identity, displaced)] as const];
          }),
        ),
      ),
    };
  }

  /** Pods by address. Of two with one address the endpoint of this node is right, then the one that is not ending. */
  *#placePods(
    snapshot: ClusterSnapshot,
    table: IdentityTable,
    nodes: NodeDirectory,
    pools: PoolDirectory,
  ): Steps<ReadonlyMap<Address, PlacedPod>> {
    const namespaces = new Map(snapshot.namespaces.map((item) => [item.metadata.name, item]));
    const accounts = new Map((snapshot.serviceAccounts ?? []).map((item) => [objectName(item), item]));
    const endpoints = new Map(snapshot.endpoints.map((item) => [`${item.namespace}/${item.pod}`, item]));
    const placed = new Map<Address, PlacedPod>();
    const rank = new Map<Address, number>();
    yield* each(snapshot.pods, (pod) => {
      const namespace = namespaces.get(pod.metadata.namespace ?? "default");
      const candidate = endpoints.get(objectName(pod));
      const endpoint = candidate && isPodOf(pod, candidate) ? candidate : undefined;
      if (!namespace) return;
      const account =
        accounts.size > 0 ? accounts.get(`${namespace.metadata.name}/${pod.spec.serviceAccountName}`) : undefined;
      const who = this.#subjects.get(pod, [namespace, account], () => podAsSubject(pod, namespace, account));
      const inputs = [...table.dependsOn(who), namespace, account, endpoint, nodes, pools];
      const make = () => placePod(pod, who, endpoint, table, nodes, pools);
      const lines = this.#pods.get(pod, inputs, make);
      const order = endpoint ? 0 : pod.metadata.deletionTimestamp ? 2 : 1;
      for (const line of lines) {
        const known = placed.get(line.key.address);
        const before = rank.get(line.key.address) ?? 3;
        if (order > before || (order === before && known && known.owner < line.owner)) continue;
        rank.set(line.key.address, order);
        placed.set(line.key.address, line);
      }
    });
    return placed;
  }
}

// A finished pod's addresses may be another's already; a host-network pod's are its node's.
function addresses(pod: Pod, endpoint: LocalEndpoint | undefined): readonly Address[] {
  if (endpoint) return addressesOf(endpoint);
  if (pod.spec.hostNetwork || hasEnded(pod)) return [];
  return pod.status.podIPs.flatMap(({ ip }) => canonicalAddress(ip) ?? []);
}

/** One line for each of the pod's addresses. Policies may name blocks that contain only one of them. */
function placePod(
  pod: Pod,
  who: Who,
  endpoint: LocalEndpoint | undefined,
  table: IdentityTable,
  nodes: NodeDirectory,
  pools: PoolDirectory,
): readonly PlacedPod[] {
  const onThisNode = endpoint !== undefined || pod.spec.nodeName === nodes.facts.nodeName;
  const node = onThisNode ? undefined : nodes.underlayOf(pod.spec.nodeName ?? "");
  return addresses(pod, endpoint).map((address) => {
    const cidr = hostCidr(address);
    return {
      owner: `Pod ${objectName(pod)}`,
      cidr,
      key: prefixOf(cidr),
      place: { flags: poolFlags(pools, cidr, node) | LocationFlag.WORKLOAD, node: node ?? "::" },
      identity: table.ofPod(pod, who, cidr),
      endpoint,
    };
  });
}

function lower({ owner, key, place, identity }: PlacedAddress, displaced: Displaced): Contribution<Prefix, Location> {
  const value = { identity: numberOf(identity, displaced), ...place };
  return { owner, entries: [{ key, value }] };
}

function numberOf(identity: Identity | undefined, displaced: Displaced): number {
  return identity ? idOf(displaced, identity.name) : 0;
}
