import { expect, test } from "vitest";
import { nodeLease, Ownership, type SeenLease, SILENCE_MS } from "./ownership.ts";

const KEY = "address-192-0-2-1";
const wanted = (...nodes: string[]) => new Map([[KEY, nodes]]);
const lease = (name: string, holder: string, renewed = "1"): SeenLease => ({ name, holder, renewed, version: "7" });
const held = (holder: string, renewed?: string) => [lease(KEY, holder), lease(nodeLease(holder), holder, renewed)];
const take = { name: KEY, holder: "a", version: "7" };

test("the first candidate takes a key that nobody had, and the second waits for it", () => {
  const [a, b] = [new Ownership("a"), new Ownership("b")];
  for (const one of [a, b]) one.see([]);
  const create = { name: KEY, holder: "a", version: undefined };
  expect(a.decide(wanted("a", "b"), 0)).toEqual({ own: new Set(), writes: [create], alive: true });
  expect(b.decide(wanted("a", "b"), 0)).toEqual({ own: new Set(), writes: [], alive: false });
  expect(b.decide(wanted("a", "b"), 200).writes).toEqual([{ ...create, holder: "b" }]);
});

test("a holder that renews keeps its key, and one that is silent loses it", () => {
  const a = new Ownership("a");
  for (let now = 0; now <= 10_000; now += 500) {
    a.see(held("b", `${now}`));
    expect(a.decide(wanted("a", "b"), now).writes).toEqual([]);
  }
  for (let now = 10_000; now < 10_000 + SILENCE_MS; now += 300) {
    a.see(held("b", "10000"));
    expect(a.decide(wanted("a", "b"), now).writes).toEqual([]);
  }
  a.see(held("b", "10000"));
  expect(a.decide(wanted("a", "b"), 10_000 + SILENCE_MS).writes).toEqual([take]);
});

test("a holder without a Lease of its node's is silent from the first look", () => {
  const a = new Ownership("a");
  a.see([lease(KEY, "b")]);
  expect(a.decide(wanted("a"), 0).writes).toEqual([]);
  a.see([lease(KEY, "b")]);
  expect(a.decide(wanted("a"), SILENCE_MS).writes).toEqual([take]);
});

test("while the API server does not answer a holder keeps its keys and nobody takes another's", () => {
  const [a, b] = [new Ownership("a"), new Ownership("b")];
  for (const one of [a, b]) {
    one.see(held("b"));
    one.decide(wanted("a", "b"), 0);
    one.blind();
  }
  expect(a.decide(wanted("a", "b"), 60_000)).toEqual({ own: new Set(), writes: [], alive: false });
  expect(b.decide(wanted("a", "b"), 60_000)).toEqual({ own: new Set([KEY]), writes: [], alive: true });
});

test("after that a holder has as long as ever to renew", () => {
  const a = new Ownership("a");
  a.see(held("b"));
  a.decide(wanted("a", "b"), 0);
  a.blind();
  a.see(held("b"));
  expect(a.decide(wanted("a", "b"), 60_000).writes).toEqual([]);
  a.see(held("b"));
  expect(a.decide(wanted("a", "b"), 60_000 + SILENCE_MS).writes).toEqual([take]);
});

test("a key that this node may no longer have is given back, and a key given back is taken at once", () => {
  const a = new Ownership("a");
  a.see(held("a"));
  expect(a.decide(wanted("b"), 0)).toEqual({
    own: new Set(),
    writes: [{ name: KEY, holder: "", version: "7" }],
    alive: false,
  });
  expect(a.decide(new Map(), 0).writes).toEqual([{ name: KEY, holder: "", version: "7" }]);
  a.see([lease(KEY, "")]);
  expect(a.decide(wanted("a"), 0).writes).toEqual([take]);
});

test("a node that holds a key does not give it to a better one", () => {
  const a = new Ownership("a");
  a.see(held("a"));
  expect(a.decide(wanted("c", "b", "a"), 0).own).toEqual(new Set([KEY]));
});

test("nodes far behind in the order leave a key alone", () => {
  const z = new Ownership("z");
  z.see([]);
  z.decide(wanted("a", "b", "c", "d", "e", "z"), 0);
  expect(z.decide(wanted("a", "b", "c", "d", "e", "z"), 60_000).writes).toEqual([]);
});
