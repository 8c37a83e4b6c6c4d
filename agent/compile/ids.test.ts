import fc from "fast-check";
import { expect, test } from "vitest";
import { hash32 } from "../../model/hash.ts";
import { type Named, named } from "../../model/named.ts";
import { collectGarbage } from "../process/collect-garbage.fixture.ts";
import { idOf, Numbering } from "./ids.ts";

interface Item {
  names: Named[];
}
const item = (...names: Named[]): Item => ({ names });
const numbering = () => new Numbering<Item>(({ names }) => names);

const first = { name: "a", hash: 7 };
const second = { name: "b", hash: 7 };
const other = { name: "c", hash: hash32("b") };

test("Numbering gives every name its hash, and of two with one hash the first by name", () => {
  const displaced = numbering().assign([item(second), item(first)]);
  expect(idOf(displaced, first)).toBe(7);
  expect(idOf(displaced, second)).toBe(hash32("b"));
});

test("Numbering never gives a displaced name the number of another, and does not depend on the order", () => {
  const items = [item(first), item(second), item(other)];
  const forward = numbering().assign(items);
  const backward = numbering().assign([...items].reverse());
  expect([...forward]).toEqual([...backward]);
  const ids = [first, second, other].map((name) => idOf(forward, name));
  expect(new Set(ids).size).toBe(3);
  expect(idOf(forward, other)).toBe(hash32("b"));
});

test("Numbering answers after many changes as it would from the start", () => {
  const [a, b, c] = [item(first), item(second), item(other)];
  const history = numbering();
  for (const items of [[b], [a, b], [a, b, c], [b, c]]) {
    expect([...history.assign(items)]).toEqual([...numbering().assign(items)]);
  }
  expect(idOf(history.assign([b, c]), second)).toBe(7);
});

test("Numbering knows a name until the last of its items is gone, whatever came and went", () => {
  const pool = [item(first), item(first, second), item(second), item(other, first), item(other)];
  const rounds = fc.array(fc.subarray(pool), { maxLength: 8 });
  fc.assert(
    fc.property(rounds, (all) => {
      const history = numbering();
      for (const items of all) expect([...history.assign(items)]).toEqual([...numbering().assign(items)]);
    }),
  );
});

test("Numbering keeps the numbers that mean something else for themselves", () => {
  const none = { name: "none", hash: 0 };
  const any = { name: "any", hash: 0xffffffff };
  const displaced = numbering().assign([item(none, any)]);
  expect(idOf(displaced, none)).toBe(hash32("none"));
  expect(idOf(displaced, any)).toBe(hash32("any"));
});

test("Numbering answers with the same object when nothing changed", () => {
  const numbers = numbering();
  const items = [item(first), item(second)];
  expect(numbers.assign([...items])).toBe(numbers.assign([...items, item({ name: "x", hash: 1 })]));
});

test("names crafted to collide do not collide under an unknown salt", () => {
  const names = ["source ranges 10.39.119.6/32", "source ranges 10.46.56.0/32"] as const; // found by trying
  const numbers = (salt?: string) => names.map((name) => named(name, salt).hash);
  expect(new Set(numbers()).size).toBe(1);
  expect(new Set(numbers("1f6a")).size).toBe(2);
});

test("Numbering keeps nothing of an item that another with the same names has replaced", async () => {
  const history = numbering();
  let before: Item | undefined = item(named("a"), named("b"));
  const kept = before.names.map((name) => new WeakRef(name));
  history.assign([before]);
  before = undefined;
  history.assign([item(named("a"), named("b"))]);
  await collectGarbage();
  expect(kept.map((name) => name.deref())).toEqual([undefined, undefined]);
});
