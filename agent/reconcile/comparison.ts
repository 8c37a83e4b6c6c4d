// Whether a map has the entries that were written to it. It is read beside the work that writes it, so an entry that differs from what was
// read may have been written since: its current value decides.

import { each, type Steps } from "../../model/steps.ts";
import type { MapStore } from "../kernel/map-store.ts";
import type { EntryRecords } from "./entry-records.ts";

/** `batches`: only where the bytes are those that were written. */
export type ComparedMap<K, V> = Pick<MapStore<K, V>, "definition" | "read" | "lookup" | "batches">;

/** Entries that are compared in a row. */
const PART = 256;

/** @param met by record, 0 at first; who writes an entry meanwhile sets its record to 1 */
export function* comparison<K, V>(
  map: ComparedMap<K, V>,
  records: EntryRecords<K, V>,
  met: Uint8Array,
): Steps<boolean> {
  let differs = false;
  const isNew = (record: number) => {
    if (met[record] === 1) return false;
    met[record] = 1;
    return true;
  };
  const decides = (record: number, key: K) => {
    if (!records.isActual(record, map.lookup(key))) differs = true;
  };
  if (!(yield* comparingBytes(map, records, isNew, decides))) {
    yield* each(map.read(), ([key, value]) => {
      const record = records.find(key) ?? -1;
      if (isNew(record) && !records.isActual(record, value)) decides(record, key);
    });
  }
  for (let record = 0; record < met.length; record++) {
    if (met[record] === 0 && records.isInMap(record)) differs = true;
    if (record % PART === 0) yield;
  }
  return differs;
}

/** A hundred thousand entries are compared without an object for each. @returns false: the map cannot be read that way */
function* comparingBytes<K, V>(
  map: ComparedMap<K, V>,
  records: EntryRecords<K, V>,
  isNew: (record: number) => boolean,
  decides: (record: number, key: K) => void,
): Steps<boolean> {
  const { key, value } = map.definition;
  const all = map.batches?.();
  for (let next = all?.next(); next; next = all?.next()) {
    if (next.done) return next.value;
    const { keys, values, count } = next.value;
    for (let index = 0; index < count; index++) {
      const record = records.findBytes(keys, index * key.size) ?? -1;
      if (isNew(record) && !records.isActualBytes(record, values, index * value.size))
        decides(record, key.decode(keys, index * key.size));
      if (index % PART === PART - 1) yield;
    }
    yield;
  }
  return false;
}
