import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordTable } from "./record-table.ts";

// Few keys, so that they come, go and come back.
const steps = fc.array(fc.record({ add: fc.boolean(), key: fc.nat(60) }), { maxLength: 400 });

test("records are found by their keys, and by no others, whatever came and went before", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const table = new RecordTable(8, 4);
      const model = new Map<number, number>();
      const seek = (key: number) => {
        table.key.setUint32(0, key, true);
        table.key.setUint32(4, key * 7, true);
      };
      const value = (record: number) => table.view.getUint32(table.valueAt(record), true);
      for (const { add, key } of all) {
        seek(key);
        const known = table.find();
        expect(known).toBe(model.get(key));
        if (add) {
          const record = table.add();
          if (known === undefined) expect(value(record)).toBe(0);
          table.view.setUint32(table.valueAt(record), key, true);
          model.set(key, record);
        } else if (known !== undefined) {
          table.delete(known);
          model.delete(key);
        }
        expect(table.size).toBe(model.size);
      }
      for (const [key, record] of model) {
        expect(table.view.getUint32(table.keyAt(record), true)).toBe(key);
        expect(value(record)).toBe(key);
      }
    }),
  );
});

test("a value is copied, compared and set as its bytes", () => {
  const table = new RecordTable(4, 8);
  const record = table.add();
  table.view.setUint8(table.valueAt(record) + 7, 1);
  const value = table.valueOf(record);
  expect(table.hasValue(record, value)).toBe(true);
  table.view.setUint8(table.valueAt(record), 1);
  expect(table.hasValue(record, value)).toBe(false);
  table.setValue(record, value);
  expect(table.hasValue(record, value)).toBe(true);
  expect([...new Uint8Array(value.buffer)]).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
});

test("a hundred thousand records take the memory of their bytes", () => {
  const table = new RecordTable(8, 4);
  for (let key = 0; key < 100_000; key++) {
    table.key.setUint32(0, key);
    table.add();
  }
  expect(table.size).toBe(100_000);
  expect(table.view.byteLength).toBeLessThanOrEqual(2 * 100_000 * 12);
});
