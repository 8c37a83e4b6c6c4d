import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordTable } from "./record-table.ts";

// Few keys, so that they come, go and come back.
const steps = fc.array(fc.record({ add: fc.boolean(), key: fc.nat(60) }), { maxLength: 400 });

test("records are found by their keys, and by no others, whatever came and went before", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const table = new RecordTable(8, 4, 2);
      const model = new Map<number, number>();
      const seek = (key: number) => {
        table.key.setUint32(0, key, true);
        table.key.setUint32(4, key * 7, true);
      };
      const value = (record: number, which: number) => table.valueAt(record, which);
      for (const { add, key } of all) {
        seek(key);
        const known = table.find();
        expect(known).toBe(model.get(key));
        if (add) {
          const record = table.add();
          if (known === undefined) expect(table.view.getUint32(value(record, 0), true)).toBe(0);
          table.view.setUint32(value(record, 0), key, true);
          table.view.setUint32(value(record, 1), key, true);
          model.set(key, record);
        } else if (known !== undefined) {
          table.delete(known);
          model.delete(key);
        }
        expect(table.size).toBe(model.size);
      }
      for (const [key, record] of model) {
        expect(table.view.getUint32(table.keyAt(record), true)).toBe(key);
        expect(table.areEqual(record, 0, 1)).toBe(true);
        expect(table.view.getUint32(value(record, 0), true)).toBe(key);
      }
    }),
  );
});

test("values of different bytes are not equal", () => {
  const table = new RecordTable(4, 8, 2);
  const record = table.add();
  table.view.setUint8(table.valueAt(record, 1) + 7, 1);
  expect(table.areEqual(record, 0, 1)).toBe(false);
});

test("a hundred thousand records take the memory of their bytes", () => {
  const table = new RecordTable(8, 4, 2);
  for (let key = 0; key < 100_000; key++) {
    table.key.setUint32(0, key);
    table.add();
  }
  expect(table.size).toBe(100_000);
  expect(table.view.byteLength).toBeLessThanOrEqual(2 * 100_000 * 16);
});
