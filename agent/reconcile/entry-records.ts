import type { MapDefinition } from "../kernel/codec.ts";
import { type RecordNumber, RecordTable, type ValueWords } from "./record-table.ts";

/** The entries of a map as they should be and as they are, each as the bytes of its key and value. Where both are the same, there is one value:
 * a map may have hundreds of thousands. */
export class EntryRecords<K, V> {
  readonly #key: MapDefinition<K, V>["key"];
  readonly #value: MapDefinition<K, V>["value"];
  /** A record is marked where its entry is in the map. Its value is the desired one; the actual one where none is desired. */
  readonly #table: RecordTable;
  /** The actual values that are to be replaced. */
  readonly #replaced = new Map<RecordNumber, ValueWords>();
  readonly #scratch: { readonly words: ValueWords; readonly view: DataView };

  constructor({ key, value }: Pick<MapDefinition<K, V>, "key" | "value">) {
    this.#key = key;
    this.#value = value;
    this.#table = new RecordTable(key.size, value.size);
    const words = new Uint32Array(Math.ceil(value.size / Uint32Array.BYTES_PER_ELEMENT));
    this.#scratch = { words, view: new DataView(words.buffer) };
  }

  find(key: K): RecordNumber | undefined {
    this.#key.encode(key, this.#table.key, 0);
    return this.#table.find();
  }

  /** @param at of a key's bytes in `keys` */
  findBytes(keys: DataView, at: number): RecordNumber | undefined {
    copyBytes(keys, at, this.#key.size, this.#table.key);
    return this.#table.find();
  }

  /** The record of a key; where there is none, a new one, whose entry is neither desired nor in the map. */
  add(key: K): RecordNumber {
    this.#key.encode(key, this.#table.key, 0);
    return this.#table.add();
  }

  all(): Iterable<RecordNumber> {
    return this.#table.numbers();
  }

  /** Of an entry that is neither desired nor in the map. */
  delete(record: RecordNumber): void {
    this.#table.delete(record);
  }

  keyOf(record: RecordNumber): K {
    return this.#key.decode(this.#table.view, this.#table.keyAt(record));
  }

  /** Of an entry that is desired. */
  desiredOf(record: RecordNumber): V {
    return this.#value.decode(this.#table.view, this.#table.valueAt(record));
  }

  setDesired(record: RecordNumber, value: V): void {
    const desired = this.#encoded(value);
    if (!this.isInMap(record)) {
      this.#table.setValue(record, desired);
      return;
    }
    if (this.#table.hasValue(record, desired)) return;
    const actual = this.#replaced.get(record) ?? this.#table.valueOf(record);
    this.#table.setValue(record, desired);
    this.#replace(record, actual);
  }

  /** The entry is no longer desired. */
  dropDesired(record: RecordNumber): void {
    const actual = this.#replaced.get(record);
    if (actual) this.#table.setValue(record, actual);
    this.#replaced.delete(record);
  }

  isInMap(record: RecordNumber): boolean {
    return this.#table.isMarked(record);
  }

  /** Whether the map has another value than the desired one. */
  isReplaced(record: RecordNumber): boolean {
    return this.#replaced.has(record);
  }

  /** undefined: the map does not have the entry. */
  actualOf(record: RecordNumber): V | undefined {
    if (!this.isInMap(record)) return undefined;
    const replaced = this.#replaced.get(record);
    return replaced ? this.#value.decode(new DataView(replaced.buffer), 0) : this.desiredOf(record);
  }

  /** Whether this is the map's value, as far as is known; undefined: the map does not have the entry. */
  isActual(record: RecordNumber, value: V | undefined): boolean {
    if (!this.isInMap(record)) return value === undefined;
    if (value === undefined) return false;
    return this.#holds(record, this.#encoded(value));
  }

  /** Of an entry that is in the map. */
  #holds(record: RecordNumber, actual: ValueWords): boolean {
    const replaced = this.#replaced.get(record);
    return replaced ? replaced.every((word, at) => word === actual[at]) : this.#table.hasValue(record, actual);
  }

  /** The same of a value's bytes, `at` in `values`. */
  isActualBytes(record: RecordNumber, values: DataView, at: number): boolean {
    if (!this.isInMap(record)) return false;
    this.#scratch.words.fill(0);
    copyBytes(values, at, this.#value.size, this.#scratch.view);
    return this.#holds(record, this.#scratch.words);
  }

  setActual(record: RecordNumber, value: V, isDesired: boolean): void {
    const actual = this.#encoded(value);
    if (isDesired) this.#replace(record, actual);
    else this.#table.setValue(record, actual);
    this.#table.mark(record, true);
  }

  /** The entry is not in the map any more. */
  dropActual(record: RecordNumber): void {
    this.#replaced.delete(record);
    this.#table.mark(record, false);
  }

  /** Keeps an actual value if it is not the desired one. */
  #replace(record: RecordNumber, actual: ValueWords): void {
    if (this.#table.hasValue(record, actual)) this.#replaced.delete(record);
    else this.#replaced.set(record, actual.slice());
  }

  /** Until the next value is encoded. */
  #encoded(value: V): ValueWords {
    const { words, view } = this.#scratch;
    words.fill(0);
    this.#value.encode(value, view, 0);
    return words;
  }
}

function copyBytes(from: DataView, at: number, size: number, to: DataView): void {
  for (let index = 0; index < size; index++) to.setUint8(index, from.getUint8(at + index));
}
