import { expect, test } from "vitest";
import { write } from "./batches.ts";
import { E2BIG, EINVAL } from "./libbpf.ts";
import { FULL_IN_A_ROW } from "./map-store.ts";

/** A fake kernel that accepts entries for which `code` is 0, and the calls it received. */
function kernel(code: (index: number) => number, batches = true) {
  const asked = { encoded: 0, calls: 0 };
  const failures = (total: number) =>
    write(total, (first, count) => {
      asked.encoded += count;
      return (at, many, done) => {
        asked.calls++;
        if (!many) return code(first + at);
        if (!batches) {
          done[0] = 0;
          return -EINVAL;
        }
        for (let index = at; index < count; index++) {
          if (code(first + index) === 0) continue;
          done[0] = index - at;
          return code(first + index);
        }
        return 0;
      };
    });
  return { asked, failures };
}

test("with 50,000 entries for a full map, each is encoded at most once, and the kernel is asked for 32", () => {
  const { asked, failures } = kernel(() => -E2BIG);
  const failed = failures(50_000);
  expect(failed.length).toBe(50_000);
  expect(failed.every(({ code }) => code === -E2BIG)).toBe(true);
  expect(asked.encoded).toBeLessThanOrEqual(4096);
  expect(asked.calls).toBe(FULL_IN_A_ROW);
});

test("entries that fail for other reasons do not stop the others, and none is encoded twice", () => {
  const { asked, failures } = kernel((index) => (index % 100 === 7 ? -5 : 0));
  expect(failures(10_000).map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, at) => at * 100 + 7));
  expect(asked.encoded).toBe(10_000);
});

test("a map without batches is written one by one", () => {
  const { failures } = kernel((index) => (index === 5 ? -5 : 0), false);
  expect(failures(9)).toEqual([{ index: 5, code: -5 }]);
});
