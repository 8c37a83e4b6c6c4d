import { changesBetween } from "../../model/changes.ts";
import { each, finish, type Steps } from "../../model/steps.ts";
import type { Contribution, Contributions, Entry } from "../compile/desired.ts";
import type { MapDefinition } from "../kernel/codec.ts";
import { type Claim, ClaimOrder } from "./claims-in-order.ts";
import { type ComparedMap, comparison } from "./comparison.ts";
import { EntryRecords } from "./entry-records.ts";
import type { RecordNumber } from "./record-table.ts";

/** A desired entry, with the object it belongs to. */
export interface OwnedEntry<K, V> extends Entry<K, V> {
  readonly owner: string;
}

/**
 * The desired and the actual content of a map, and the difference.
 *
 *              desired          actual
 *          +-------------+-------------+
 *          |   pending   |   pending   |
 *          |   updates   |  deletions  |
 *          |      +------+------+      |
 *          |      | in   : sync |      |
 *          +------+------+------+------+
 *
 * An entry on both sides with another value is a pending update. Nothing is written here: the caller writes, then reports
 * what was written, so that failed entries stay pending.
 */
export class DeltaMap<K, V> {
  readonly #order: ClaimOrder<V>;
  readonly #records: EntryRecords<K, V>;
  /** Of each record: who wants it, in order where there are several; undefined: nobody. */
  readonly #wanted: (string | Claim<V>[] | undefined)[] = [];
  #actualCount = 0;
  #contributions: Contributions<K, V> = [];
  /** Whether `#wanted` is what these contributions want. It is not where setting them has begun and did not end. */
  #isSettled = true;
  /** By record: 1 where a comparison has met its entry, or it was written since the comparison began. */
  #met: Uint8Array | undefined;
  readonly #updates = new Set<RecordNumber>();
  readonly #deletions = new Set<RecordNumber>();

  /** `prefer` decides between owners of one key; their names decide ties. */
  constructor(codecs: Pick<MapDefinition<K, V>, "key" | "value">, prefer: (a: V, b: V) => number = () => 0) {
    this.#order = new ClaimOrder(prefer);
    this.#records = new EntryRecords(codecs);
  }

  /** Loads the current content of the map, as after a restart. */
  *loading(entries: Iterable<readonly [K, V]>): Steps<void> {
    const gone = new Set<RecordNumber>();
    yield* each(this.#wanted.keys(), (record) => {
      if (this.#records.isInMap(record)) gone.add(record);
    });
    yield* each(entries, ([key, value]) => {
      const record = this.#add(key);
      gone.delete(record);
      this.wrote(record, value);
    });
    yield* each(gone, (record) => this.removed(record));
  }

  /** Whether another program has changed the map. Changes nothing; entries may be written meanwhile. */
  *comparing(map: ComparedMap<K, V>): Steps<boolean> {
    this.#met = new Uint8Array(this.#wanted.length);
    const differs = yield* comparison(map, this.#records, this.#met);
    this.#met = undefined;
    return differs;
  }

  /** Replaces the desired content. An unchanged contribution costs one comparison. */
  setDesired(contributions: Contributions<K, V>): void {
    finish(this.settingDesired(contributions));
  }

  /** The same in parts. */
  *settingDesired(contributions: Contributions<K, V>): Steps<void> {
    const touched = new Set<RecordNumber>(this.#isSettled ? [] : this.#wantingNothing());
    const { gone, come } = changesBetween(this.#contributions, contributions);
    this.#isSettled = false;
    yield* each(entriesOf(gone), (entry) => {
      const record = this.#records.find(entry.key);
      if (record === undefined) return;
      this.#release(record, entry);
      touched.add(record);
    });
    yield* each(entriesOf(come), (entry) => {
      const record = this.#add(entry.key);
      this.#claim(record, entry);
      touched.add(record);
    });
    yield* each(touched, (record) => this.#compare(record));
    this.#contributions = contributions;
    this.#isSettled = true;
  }

  /** Begins anew. @returns the records to compare */
  *#wantingNothing(): Iterable<RecordNumber> {
    this.#contributions = [];
    for (const record of this.#records.all()) {
      if (this.#wanted[record] !== undefined) this.#abandon(record);
      yield record;
    }
  }

  /** What is to be written, and in `deletions` what is to be removed. */
  updates(): readonly RecordNumber[] {
    return [...this.#updates];
  }

  deletions(): readonly RecordNumber[] {
    return [...this.#deletions];
  }

  /** What the map should hold, with its owner. */
  desiredOf(record: RecordNumber): OwnedEntry<K, V> {
    const wanted = this.#wanted[record];
    const owner = Array.isArray(wanted) ? (wanted[0] as Claim<V>).owner : (wanted ?? "");
    return { owner, key: this.keyOf(record), value: this.#records.desiredOf(record) };
  }

  /** What the map holds. */
  actualOf(record: RecordNumber): V | undefined {
    return this.#records.actualOf(record);
  }

  keyOf(record: RecordNumber): K {
    return this.#records.keyOf(record);
  }

  /** Whether the map has an entry with the key. */
  has(key: K): boolean {
    const record = this.#records.find(key);
    return record !== undefined && this.#records.isInMap(record);
  }

  /** The map's value for the key. */
  actual(key: K): V | undefined {
    const record = this.#records.find(key);
    return record === undefined ? undefined : this.actualOf(record);
  }

  /** Whether the key's entry is to be written. */
  isPending(key: K): boolean {
    return this.#updates.has(this.#records.find(key) ?? -1);
  }

  /** Entries to write, each with its owner. */
  *pendingUpdates(): Iterable<OwnedEntry<K, V>> {
    for (const record of this.#updates) yield this.desiredOf(record);
  }

  /** Entries to remove, with their current value. */
  *pendingDeletions(): Iterable<Entry<K, V>> {
    for (const record of this.#deletions) yield* this.#actualEntry(record);
  }

  /** Entries in the map that should be changed or removed: they may still refer to other entries. */
  *staleValues(): Iterable<Entry<K, V>> {
    for (const record of this.#updates) yield* this.#actualEntry(record);
    yield* this.pendingDeletions();
  }

  /** Keys of entries that differ from the desired content. */
  *pendingKeys(): Iterable<K> {
    for (const record of this.#updates) yield this.keyOf(record);
    for (const record of this.#deletions) yield this.keyOf(record);
  }

  /** Entries in the map, as last known. */
  get actualCount(): number {
    return this.#actualCount;
  }

  get pendingCount(): number {
    return this.#updates.size + this.#deletions.size;
  }

  wrote(record: RecordNumber, value: V): void {
    if (this.#met) this.#met[record] = 1; // of a record that is newer than the comparison it keeps nothing
    if (!this.#records.isInMap(record)) this.#actualCount++;
    this.#records.setActual(record, value, this.#wanted[record] !== undefined);
    this.#compare(record);
  }

  removed(record: RecordNumber): void {
    if (this.#records.isInMap(record)) this.#actualCount--;
    this.#records.dropActual(record);
    this.#compare(record);
  }

  #actualEntry(record: RecordNumber): readonly Entry<K, V>[] {
    const value = this.#records.actualOf(record);
    return value === undefined ? [] : [{ key: this.keyOf(record), value }];
  }

  #add(key: K): RecordNumber {
    const record = this.#records.add(key);
    if (record === this.#wanted.length) this.#wanted.push(undefined); // in ascending order, so the array has no holes
    return record;
  }

  #claim(record: RecordNumber, { owner, value }: OwnedEntry<K, V>): void {
    const known = this.#wanted[record];
    if (known === undefined) {
      this.#want(record, owner, value);
      return;
    }
    const claims = Array.isArray(known) ? known : [{ owner: known, value: this.#records.desiredOf(record) }];
    this.#order.add(claims, { owner, value });
    this.#want(record, claims, (claims[0] as Claim<V>).value);
  }

  #release(record: RecordNumber, { owner, value }: OwnedEntry<K, V>): void {
    const known = this.#wanted[record];
    if (!Array.isArray(known)) {
      if (known === owner) this.#abandon(record);
      return;
    }
    this.#order.remove(known, { owner, value });
    const [first] = known;
    if (first) this.#want(record, known.length > 1 ? known : first.owner, first.value);
  }

  #want(record: RecordNumber, who: string | Claim<V>[], value: V): void {
    this.#wanted[record] = who;
    this.#records.setDesired(record, value);
  }

  #abandon(record: RecordNumber): void {
    this.#wanted[record] = undefined;
    this.#records.dropDesired(record);
  }

  #compare(record: RecordNumber): void {
    const desired = this.#wanted[record] !== undefined;
    const actual = this.#records.isInMap(record);
    if (desired && (!actual || this.#records.isReplaced(record))) this.#updates.add(record);
    else this.#updates.delete(record);
    if (!desired && actual) this.#deletions.add(record);
    else this.#deletions.delete(record);
    if (!desired && !actual) this.#records.delete(record);
  }
}

function* entriesOf<K, V>(contributions: Iterable<Contribution<K, V>>): Iterable<OwnedEntry<K, V>> {
  for (const { owner, entries } of contributions) for (const { key, value } of entries) yield { owner, key, value };
}
