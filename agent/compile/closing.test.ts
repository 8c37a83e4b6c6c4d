import { expect, test } from "vitest";
import { Closing } from "./closing.ts";
import { facts } from "./policy-cluster.fixture.ts";

const room = { entries: 10, blocks: 20, comparisons: 30 };

/** How many are closed at last, and how often a number was tried, where `enough` of `all` do. */
function searched(enough: number, all: number) {
  const closing = new Closing(facts, room);
  const closed = () => closing.excess.find(({ of }) => of === "blocks")?.count ?? 0;
  let tries = 1;
  while (closing.goesOn("blocks", closed() >= enough, all)) tries++;
  return { closed: closed(), tries };
}

test("as few are closed as it takes, after few tries", () => {
  for (const all of [1, 2, 3, 7, 100]) {
    for (let enough = 0; enough <= all; enough++) {
      const { closed, tries } = searched(enough, all);
      expect(closed).toBe(enough);
      expect(tries).toBeLessThanOrEqual(2 + 2 * Math.ceil(Math.log2(all + 1)) + 1);
    }
  }
  // It never fits.
  expect(searched(8, 7).closed).toBe(7);
  expect(searched(1, 0)).toEqual({ closed: 0, tries: 1 });
});

test("each resource has its number, and its words", () => {
  const closing = new Closing(facts, room);
  closing.goesOn("comparisons", false, 5);
  closing.goesOn("comparisons", false, 5);
  closing.goesOn("entries", false, 5);
  expect(closing.excess.map(({ of, count }) => [of, count])).toEqual([
    ["comparisons", 2],
    ["entries", 1],
  ]);
  expect(closing.excess[0]?.why).toBe(
    "does not fit beside the other policies of node node-0, which have room for 30 comparisons of selectors with labels",
  );
  expect([closing.isEnd("entries", 1), closing.isEnd("entries", 2)]).toEqual([true, false]);
});
