import type { Address } from "../../model/address/address.ts";
import { DerivedList } from "../../model/derived-list.ts";
import { Latest } from "../../model/memo.ts";
import { addressesOf, podOwner } from "../../model/objects/pod-of.ts";
import { type Identity, IdentityMemory, IdentityTable } from "../../model/policy/identity.ts";
import type { Vocabulary } from "../../model/policy/vocabulary.ts";
import { atOnce, each, type Steps } from "../../model/steps.ts";
import { type Location, LocationFlag, type Prefix } from "../kernel/layout.gen.ts";
import { addressBook, type PlacedAddress, type Whereabouts } from "./addresses.ts";
import type { Contributions } from "./desired.ts";
import type { IdentityNumbers } from "./identity-numbers.ts";
import { type Displaced, idOf, Numbering } from "./ids.ts";
import { KnownEntries, type LocationEntry } from "./known-entries.ts";
import { PlacedPods } from "./placed-pods.ts";
import { type LocationSums, RunningSums } from "./revisions.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

export interface LocationMap {
  readonly locations: Contributions<Prefix, Location>;
  /** The identities in use, with their numbers: policies need a verdict for each. */
  readonly identities: IdentityNumbers;
  /** Those of this node's own addresses. */
  readonly ofNode: ReadonlySet<Identity>;
  /** What each identity's addresses match, by its number. */
  readonly names: ReadonlyMap<number, string>;
  readonly sums: LocationSums;
  /** Of this node's endpoints, by address; 0 is none. An endpoint whose pod is not known yet is absent. */
  readonly endpointIdentities: ReadonlyMap<Address, number>;
}

/** Compiles the map `locations`: identity and location of every address. */
export class LocationCompiler {
  readonly #result = new Latest<LocationMap>();
  readonly #memory: IdentityMemory;
  readonly #table = new Latest<IdentityTable>();
  readonly #book = new Latest<readonly PlacedAddress[]>();
  readonly #pods = new PlacedPods();
  readonly #ids = new Numbering<Identity>(({ name }) => [name]);
  readonly #contributions = new DerivedList<PlacedAddress, LocationEntry>();
  readonly #sums = new RunningSums();
  readonly #entries: KnownEntries;
  readonly #isLike: boolean;

  /** @param like another compiler of the same map, whose identities and entries this one has where they are equal */
  constructor(like?: LocationCompiler) {
    this.#isLike = like !== undefined;
    this.#memory = like ? new IdentityMemory(like.#memory.identities) : new IdentityMemory();
    this.#entries = like ? like.#entries : new KnownEntries();
  }

  /** Returns the same object as before if its inputs did not change. */
  compile(snapshot: ClusterSnapshot, vocabulary: Vocabulary, places: Whereabouts): Steps<LocationMap> {
    const { pods, namespaces, serviceAccounts, endpoints } = snapshot;
    const { nodes, pools, ofServices, hosts } = places;
    const inputs = [pods, namespaces, serviceAccounts, endpoints, vocabulary, nodes, pools, ofServices, hosts.labels];
    return this.#result.getting(inputs, () => this.#compile(snapshot, vocabulary, places));
  }

  *#compile(snapshot: ClusterSnapshot, vocabulary: Vocabulary, places: Whereabouts): Steps<LocationMap> {
    const { nodes, pools, ofServices } = places;
    const { labels } = places.hosts;
    const table = this.#table.get([vocabulary], () => new IdentityTable(vocabulary, snapshot.facts.salt, this.#memory));
    // Selectors mean hosts' addresses, and of blocks only those that the vocabulary has.
    const ofBlocks = [table.ofBlocks, labels, labels.size > 0 ? table : undefined];
    const book = yield* this.#book.getting([nodes, pools, ofServices, ...ofBlocks], () => addressBook(places, table));
    const pods = yield* this.#pods.placing(snapshot, table, nodes, pools);
    const isPods = ({ key }: PlacedAddress) => key.prefixLength === 128 && pods.at(key.address) !== undefined;
    const lines = [...book.filter((line) => !isPods(line)), ...pods.lines];
    const used = new Set<Identity>();
    yield* each(lines, ({ identity }) => identity && used.add(identity), 4096);
    this.#memory.forgetUnused(used);
    const displaced = yield* this.#ids.assigning([...used]);
    const locations = yield* this.#contributions.deriving(
      lines,
      [displaced],
      (line) => atOnce(() => this.#entries.same(lower(line, displaced))),
      undefined,
    );
    if (!this.#isLike) yield* this.#entries.updating(locations);
    const sums = yield* this.#sums.updating(locations);
    const identities = new Map<Identity, number>();
    const names = new Map<number, string>();
    yield* each(used, (identity) => {
      const number = idOf(displaced, identity.name);
      identities.set(identity, number);
      names.set(number, identity.name.name);
    });
    const isOwn = ({ place }: PlacedAddress) => (place.flags & LocationFlag.LOCAL_HOST) !== 0;
    return {
      locations,
      sums,
      identities,
      ofNode: new Set(book.filter(isOwn).flatMap(({ identity }) => identity ?? [])),
      names,
      endpointIdentities: new Map(
        snapshot.endpoints.flatMap((endpoint) =>
          addressesOf(endpoint).flatMap((address) => {
            const line = pods.at(address);
            // An address may have come back from another pod that is still listed: that pod's identity is not this one's.
            if (line?.owner !== podOwner(endpoint) || line.endpoint !== endpoint) return [];
            return [[address, numberOf(line.identity, displaced)] as const];
          }),
        ),
      ),
    };
  }
}

function lower({ owner, key, place, identity }: PlacedAddress, displaced: Displaced): LocationEntry {
  const value = { identity: numberOf(identity, displaced), ...place };
  return { owner, entries: [{ key, value }] };
}

function numberOf(identity: Identity | undefined, displaced: Displaced): number {
  return identity ? idOf(displaced, identity.name) : 0;
}
