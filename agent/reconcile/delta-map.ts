import { changesBetween } from "../../model/changes.ts";
import { each, finish, type Steps } from "../../model/steps.ts";
import type { Contribution, Contributions, Entry } from "../compile/desired.ts";

/** A desired or actual entry, with the object it belongs to. */
export interface OwnedEntry<K, V> extends Entry<K, V> {
  readonly owner: string;
}

interface Claim<K, V> {
  readonly owner: string;
  readonly entry: Entry<K, V>;
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
  readonly #text: (key: K) => string;
  readonly #prefer: (a: V, b: V) => number;
  readonly #actual = new Map<string, Entry<K, V>>();
  /** In order; a claim without others is not in an array: a map may have a hundred thousand. */
  readonly #claims = new Map<string, Claim<K, V> | Claim<K, V>[]>();
  #contributions: Contributions<K, V> = [];
  readonly #updates = new Set<string>();
  readonly #deletions = new Set<string>();

  /** `text` returns the id of a key; `prefer` decides between owners of one key; their names decide ties. */
  constructor(text: (key: K) => string, prefer: (a: V, b: V) => number = () => 0) {
    this.#text = text;
    this.#prefer = prefer;
  }

  /** Loads the current content of the map, as after a restart. */
  load(entries: Iterable<readonly [K, V]>): void {
    finish(this.loading(entries));
  }

  /** The same in parts. */
  *loading(entries: Iterable<readonly [K, V]>): Steps<void> {
    const gone = new Set(this.#actual.keys());
    yield* each(entries, ([key, value]) => {
      const id = this.#text(key);
      gone.delete(id);
      this.#actual.set(id, { id, key, value });
      this.#compare(id);
    });
    yield* each(gone, (id) => this.removed(id));
  }

  /** Replaces the desired content. An unchanged contribution costs one comparison. */
  setDesired(contributions: Contributions<K, V>): void {
    finish(this.settingDesired(contributions));
  }

  /** The same in parts. */
  *settingDesired(contributions: Contributions<K, V>): Steps<void> {
    const { gone, come } = changesBetween(this.#contributions, contributions);
    const touched = new Set<string>();
    yield* each(claimsOf(gone), (claim) => {
      this.#release(claim);
      touched.add(claim.entry.id);
    });
    yield* each(claimsOf(come), (claim) => {
      this.#claim(claim);
      touched.add(claim.entry.id);
    });
    yield* each(touched, (id) => this.#compare(id));
    this.#contributions = contributions;
  }

  /** Entries to write, each with its owner. */
  pendingUpdates(): OwnedEntry<K, V>[] {
    return [...this.#updates].flatMap((id) => {
      const first = this.#first(id);
      return first ? [{ ...first.entry, owner: first.owner }] : [];
    });
  }

  /** Entries to remove, with their current value. */
  pendingDeletions(): Entry<K, V>[] {
    return [...this.#deletions].flatMap((id) => this.#actual.get(id) ?? []);
  }

  /** Values in the map that should be changed or removed: they may still refer to other entries. */
  staleValues(): { readonly key: K; readonly value: V }[] {
    return [...this.#updates, ...this.#deletions].flatMap((id) => this.#actual.get(id) ?? []);
  }

  /** Ids of entries that differ from the desired content. */
  *pendingIds(): Iterable<string> {
    yield* this.#updates;
    yield* this.#deletions;
  }

  isPending(id: string): boolean {
    return this.#updates.has(id);
  }

  /** The map's value for the id. */
  actual(id: string): V | undefined {
    return this.#actual.get(id)?.value;
  }

  /** Entries in the map, as last known. */
  get actualCount(): number {
    return this.#actual.size;
  }

  get pendingCount(): number {
    return this.#updates.size + this.#deletions.size;
  }

  wrote({ id, key, value }: Entry<K, V>): void {
    this.#actual.set(id, { id, key, value });
    this.#compare(id);
  }

  removed(id: string): void {
    this.#actual.delete(id);
    this.#compare(id);
  }

  #first(id: string): Claim<K, V> | undefined {
    const claims = this.#claims.get(id);
    return Array.isArray(claims) ? claims[0] : claims;
  }

  #claim(claim: Claim<K, V>): void {
    const { id } = claim.entry;
    const known = this.#claims.get(id);
    if (!known) {
      this.#claims.set(id, claim);
      return;
    }
    const claims = Array.isArray(known) ? known : [known];
    claims.splice(this.#placeOf(claim, claims), 0, claim);
    this.#claims.set(id, claims);
  }

  #release(claim: Claim<K, V>): void {
    const { id } = claim.entry;
    const known = this.#claims.get(id);
    if (!known) return;
    const claims = Array.isArray(known) ? known : [known];
    const place = this.#placeOf(claim, claims);
    if (claims[place]?.owner === claim.owner) claims.splice(place, 1);
    if (claims.length === 0) this.#claims.delete(id);
  }

  /** The position of the claim in order (binary search). Thousands of services may share one backend: their claims are not compared one
   * by one. */
  #placeOf({ owner, entry: { value } }: Claim<K, V>, claims: readonly Claim<K, V>[]): number {
    let [first, end] = [0, claims.length];
    while (first < end) {
      const middle = (first + end) >> 1;
      const other = claims[middle] as Claim<K, V>;
      const order = this.#prefer(other.entry.value, value) || (other.owner < owner ? -1 : 1);
      if (order < 0) first = middle + 1;
      else end = middle;
    }
    return first;
  }

  #compare(id: string): void {
    const desired = this.#first(id)?.entry;
    const actual = this.#actual.get(id);
    const update = desired !== undefined && (actual === undefined || !equal(desired.value, actual.value));
    if (update) this.#updates.add(id);
    else this.#updates.delete(id);
    if (desired && !update) this.#actual.set(id, desired); // one object for both sides
    if (desired === undefined && actual !== undefined) this.#deletions.add(id);
    else this.#deletions.delete(id);
  }
}

function* claimsOf<K, V>(contributions: Iterable<Contribution<K, V>>): Iterable<Claim<K, V>> {
  for (const { owner, entries } of contributions) for (const entry of entries) yield { owner, entry };
}

/** Whether two values of a map are equal: numbers, strings, or flat structs of both. */
export function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  return Object.keys(left).every((name) => left[name] === right[name]);
}
