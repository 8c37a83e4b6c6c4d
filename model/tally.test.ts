import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Selection, Tally } from "./tally.ts";

const histories = fc.array(fc.uniqueArray(fc.nat(11), { maxLength: 12 }), { maxLength: 8 });
const items = Array.from({ length: 12 }, (_, value) => ({ value }));
const pick = (places: readonly number[]) => places.map((place) => items[place] as { value: number });

describe("Tally", () => {
  it("is the sum over the items, whatever the list was before", () => {
    fc.assert(
      fc.property(histories, (lists) => {
        const tally = new Tally<{ value: number }>(({ value }) => value);
        for (const list of lists.map(pick))
          expect(tally.over(list)).toBe(list.reduce((sum, { value }) => sum + value, 0));
      }),
    );
  });

  it("asks only about items that came or went", () => {
    const asked: number[] = [];
    const tally = new Tally<{ value: number }>(({ value }) => asked.push(value));
    tally.over(pick([1, 2, 3]));
    asked.length = 0;
    tally.over(pick([1, 4, 3]));
    expect(asked).toEqual([2, 4]);
  });
});

describe("Selection", () => {
  const isEven = ({ value }: { value: number }) => value % 2 === 0;

  it("has the items for which the condition holds, whatever the list was before", () => {
    fc.assert(
      fc.property(histories, (lists) => {
        const selection = new Selection(isEven);
        for (const list of lists.map(pick)) expect(new Set(selection.of(list))).toEqual(new Set(list.filter(isEven)));
      }),
    );
  });

  it("is the same array until one of its items changes", () => {
    const selection = new Selection(isEven);
    const first = selection.of(pick([1, 2, 4]));
    expect(selection.of(pick([3, 2, 4, 5]))).toBe(first);
    expect(selection.of(pick([3, 2, 5]))).toEqual(pick([2]));
  });
});
