// Records of one size, found by the bytes of their keys. A map of a hundred thousand entries is a few buffers here instead of a
// million objects: a tenth of the memory, and nothing that a garbage collection has to visit.

const WORD = 4;
const FIRST_CAPACITY = 16;
const NONE = -1;

/** The number of a record; it is the same as long as the record exists. */
export type RecordNumber = number;

const words = (size: number) => Math.ceil(size / WORD);

/** The bytes of a value, apart from its record. */
export type ValueWords = Uint32Array<ArrayBuffer>;

/** Each record is its key, then its value. Both are compared as bytes. */
export class RecordTable {
  readonly #keyWords: number;
  readonly #valueWords: number;
  readonly #recordWords: number;
  #words: Uint32Array;
  #view: DataView;
  /** Open addressing with linear probing: the number of a record plus one; 0 is free. At most half of it is in use. */
  #index = new Int32Array(2 * FIRST_CAPACITY);
  #marks = new Uint8Array(FIRST_CAPACITY);
  readonly #free: RecordNumber[] = [];
  #used = 0;
  /** Users choose addresses: which of them meet in the index is not theirs to know. */
  readonly #seed = (Math.random() * 2 ** 32) | 0;
  readonly #sought: Uint32Array;
  /** The key that `find` and `add` are about. */
  readonly key: DataView;

  constructor(keySize: number, valueSize: number) {
    this.#keyWords = words(keySize);
    this.#valueWords = words(valueSize);
    this.#recordWords = this.#keyWords + this.#valueWords;
    this.#words = new Uint32Array(FIRST_CAPACITY * this.#recordWords);
    this.#view = new DataView(this.#words.buffer);
    this.#sought = new Uint32Array(this.#keyWords);
    this.key = new DataView(this.#sought.buffer);
  }

  /** All records; after `add` it is another object. */
  get view(): DataView {
    return this.#view;
  }

  get size(): number {
    return this.#used - this.#free.length;
  }

  keyAt(record: RecordNumber): number {
    return record * this.#recordWords * WORD;
  }

  valueAt(record: RecordNumber): number {
    return (record * this.#recordWords + this.#keyWords) * WORD;
  }

  /** A copy of a record's value. */
  valueOf(record: RecordNumber): ValueWords {
    const at = record * this.#recordWords + this.#keyWords;
    return this.#words.slice(at, at + this.#valueWords);
  }

  setValue(record: RecordNumber, value: ValueWords): void {
    this.#words.set(value, record * this.#recordWords + this.#keyWords);
  }

  /** All records. */
  *numbers(): Iterable<RecordNumber> {
    for (const number of this.#index) if (number - 1 !== NONE) yield number - 1;
  }

  /** Whether a record has this value. */
  hasValue(record: RecordNumber, value: ValueWords): boolean {
    const at = record * this.#recordWords + this.#keyWords;
    for (let word = 0; word < this.#valueWords; word++) if (this.#words[at + word] !== value[word]) return false;
    return true;
  }

  /** Something that the user knows of a record; not of a new one. */
  isMarked(record: RecordNumber): boolean {
    return this.#marks[record] === 1;
  }

  mark(record: RecordNumber, is: boolean): void {
    this.#marks[record] = is ? 1 : 0;
  }

  /** The record with the sought key; undefined: there is none. */
  find(): RecordNumber | undefined {
    const record = (this.#index[this.#placeOf(this.#sought, 0)] as number) - 1;
    return record === NONE ? undefined : record;
  }

  /** The same; where there is none, a new one with zeros as its value. */
  add(): RecordNumber {
    let place = this.#placeOf(this.#sought, 0);
    const known = (this.#index[place] as number) - 1;
    if (known !== NONE) return known;
    if (this.#free.length === 0 && this.#used * this.#recordWords === this.#words.length) {
      this.#grow();
      place = this.#placeOf(this.#sought, 0);
    }
    const record = this.#free.pop() ?? this.#used++;
    const at = record * this.#recordWords;
    this.#words.set(this.#sought, at);
    this.#words.fill(0, at + this.#keyWords, at + this.#recordWords);
    this.#marks[record] = 0;
    this.#index[place] = record + 1;
    return record;
  }

  /** Removes a record; its number may be given to another. */
  delete(record: RecordNumber): void {
    const mask = this.#index.length - 1;
    let hole = this.#placeOf(this.#words, record * this.#recordWords);
    this.#index[hole] = 0;
    this.#free.push(record);
    // Those behind it move up, unless that would put them before the place where they are looked for first.
    for (let place = (hole + 1) & mask; this.#index[place] !== 0; place = (place + 1) & mask) {
      const other = (this.#index[place] as number) - 1;
      const home = this.#hash(this.#words, other * this.#recordWords) & mask;
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      this.#index[hole] = other + 1;
      this.#index[place] = 0;
      hole = place;
    }
  }

  /** Where the key at `at` of `from` stands in the index, or would stand. */
  #placeOf(from: Uint32Array, at: number): number {
    const mask = this.#index.length - 1;
    let place = this.#hash(from, at) & mask;
    for (;;) {
      const record = (this.#index[place] as number) - 1;
      if (record === NONE || this.#hasKey(record, from, at)) return place;
      place = (place + 1) & mask;
    }
  }

  #hasKey(record: RecordNumber, from: Uint32Array, at: number): boolean {
    const start = record * this.#recordWords;
    for (let word = 0; word < this.#keyWords; word++) if (this.#words[start + word] !== from[at + word]) return false;
    return true;
  }

  // MurmurHash3's steps.
  #hash(from: Uint32Array, at: number): number {
    let hash = this.#seed;
    for (let word = 0; word < this.#keyWords; word++) {
      const mixed = Math.imul(from[at + word] as number, 0xcc9e2d51);
      hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }

  #grow(): void {
    const grown = new Uint32Array(2 * this.#words.length);
    grown.set(this.#words);
    this.#words = grown;
    this.#view = new DataView(grown.buffer);
    const marks = new Uint8Array(2 * this.#marks.length);
    marks.set(this.#marks);
    this.#marks = marks;
    const index = new Int32Array(2 * this.#index.length);
    const mask = index.length - 1;
    // Only called when no number is free: each one below `#used` is a record.
    for (let record = 0; record < this.#used; record++) {
      let place = this.#hash(grown, record * this.#recordWords) & mask;
      while (index[place] !== 0) place = (place + 1) & mask;
      index[place] = record + 1;
    }
    this.#index = index;
  }
}
