import { expect, test } from "vitest";
import { ASSIGNING, nodeLease, Ownership, type SeenLease, SILENCE_MS } from "./ownership.ts";

const KEY = "address-192-0-2-1";
const wanted = (...nodes: string[]) => new Map([[KEY, nodes]]);
const lease = (name: string, holder: string, renewed = "1", version = "7"): SeenLease => ({
  name,
  holder,
  renewed,
  version,
});
const held = (holder: string, renewed?: string) => [lease(KEY, holder), lease(nodeLease(holder), holder, renewed)];
const take = (silent: string, holder = "a") => ({ name: KEY, holder, version: "7", silent });
const seeing = (node: string, leases: readonly SeenLease[], now = 0) => {
  const one = new Ownership(node);
  one.see(leases, now);
  return one;
};

test("the first candidate takes a key that nobody had, and the second waits for it", () => {
  const [a, b] = [seeing("a", []), seeing("b", [])];
  const create = { name: KEY, holder: "a", version: undefined };
  expect(a.decide(wanted("a", "b"), 0)).toEqual({ own: new Set(), writes: [create], alive: true });
  expect(b.decide(wanted("a", "b"), 0)).toEqual({ own: new Set(), writes: [], alive: false });
  expect(b.decide(wanted("a", "b"), 200).writes).toEqual([{ ...create, holder: "b" }]);
});

test("a holder that renews keeps its key, and one that is silent loses it", () => {
  const a = seeing("a", held("b", "0"));
  for (let now = 500; now <= 10_000; now += 500) {
    a.seeOne(lease(nodeLease("b"), "b", `${now}`), now);
    expect(a.decide(wanted("a", "b"), now).writes).toEqual([]);
  }
  expect(a.decide(wanted("a", "b"), 10_000 + SILENCE_MS - 1).writes).toEqual([]);
  expect(a.decide(wanted("a", "b"), 10_000 + SILENCE_MS).writes).toEqual([take("b")]);
});

test("the silence counts from the renewal that was seen, not from the decision after it", () => {
  const a = seeing("a", held("b"), 1_000);
  expect(a.decide(wanted("a"), 1_000 + SILENCE_MS).writes).toEqual([take("b")]);
});

test("a silent holder has no turn of its own, and every candidate has one", () => {
  const nodes = ["b", "c", "d", "e", "f", "g", "a"];
  const a = seeing("a", held("b"));
  expect(seeing("c", held("b")).decide(wanted(...nodes), SILENCE_MS).writes).toEqual([take("b", "c")]);
  expect(a.decide(wanted(...nodes), SILENCE_MS).writes).toEqual([]);
  expect(a.decide(wanted(...nodes), SILENCE_MS + 1_000).writes).toEqual([take("b")]);
});

test("a holder without a Lease of its node's is silent from the first look", () => {
  const a = seeing("a", [lease(KEY, "b")]);
  expect(a.decide(wanted("a"), 0).writes).toEqual([]);
  expect(a.decide(wanted("a"), SILENCE_MS).writes).toEqual([take("b")]);
});

test("while the API server does not answer a holder keeps its keys and nobody takes another's", () => {
  const [a, b] = [seeing("a", held("b")), seeing("b", held("b"))];
  for (const one of [a, b]) one.blind();
  expect(a.decide(wanted("a", "b"), 60_000)).toEqual({ own: new Set(), writes: [], alive: false });
  expect(b.decide(wanted("a", "b"), 60_000)).toEqual({ own: new Set([KEY]), writes: [], alive: true });
  a.seeOne(lease("address-192-0-2-2", "b"), 60_000); // of a watch that is still open: only a complete list ends it
  expect(a.decide(wanted("a", "b"), 60_000).writes).toEqual([]);
});

test("after that a holder has as long as ever to renew", () => {
  const a = seeing("a", held("b"));
  a.blind();
  a.see(held("b"), 60_000);
  expect(a.decide(wanted("a", "b"), 60_000 + SILENCE_MS - 1).writes).toEqual([]);
  expect(a.decide(wanted("a", "b"), 60_000 + SILENCE_MS).writes).toEqual([take("b")]);
});

test("a key that this node may no longer have is given back, and a key given back is taken at once", () => {
  const a = seeing("a", held("a"));
  expect(a.decide(wanted("b"), 0)).toEqual({
    own: new Set(),
    writes: [{ name: KEY, holder: "", version: "7" }],
    alive: false,
  });
  a.seeOne(lease(KEY, ""), 0);
  expect(a.decide(wanted("a"), 0).writes).toEqual([{ name: KEY, holder: "a", version: "7" }]);
});

test("the Lease of a key that nobody wants is deleted by its holder", () => {
  expect(seeing("a", held("a")).decide(new Map(), 0).writes).toEqual([{ name: KEY, holder: undefined, version: "7" }]);
});

test("that of a node that is gone is taken and deleted by the node that assigns addresses, and by no other", () => {
  const assigning = lease(ASSIGNING, "a");
  const keys = new Map([[ASSIGNING, ["a", "c"]]]);
  const [a, c] = [seeing("a", [...held("b"), assigning]), seeing("c", [...held("b"), assigning])];
  expect(a.decide(keys, SILENCE_MS - 1).writes).toEqual([]);
  expect(a.decide(keys, SILENCE_MS).writes).toEqual([take("b")]);
  a.seeOne(lease(nodeLease("a"), "a"), SILENCE_MS);
  c.seeOne(lease(nodeLease("a"), "a"), SILENCE_MS);
  expect(c.decide(keys, SILENCE_MS).writes).toEqual([]);
  a.seeOne(lease(KEY, "a", "2", "8"), SILENCE_MS);
  expect(a.decide(keys, SILENCE_MS).writes).toEqual([{ name: KEY, holder: undefined, version: "8" }]);
  a.gone(KEY);
  a.seeOne(lease("address-192-0-2-9", ""), SILENCE_MS);
  a.seeOne(lease("somebody-elses", "x"), SILENCE_MS);
  expect(a.decide(keys, SILENCE_MS).writes).toEqual([{ name: "address-192-0-2-9", holder: undefined, version: "7" }]);
});

test("a node that holds a key does not give it to a better one", () => {
  expect(seeing("a", held("a")).decide(wanted("c", "b", "a"), 0).own).toEqual(new Set([KEY]));
});

test("what a watch tells late does not undo a later write", () => {
  const a = seeing("a", [lease(KEY, "b", "1", "7")]);
  a.seeOne(lease(KEY, "a", "1", "10"), 0);
  a.seeOne(lease(KEY, "b", "1", "9"), 0);
  a.gone(KEY, "8");
  expect(a.decide(wanted("a"), 0).own).toEqual(new Set([KEY]));
  a.gone(KEY, "11");
  expect(a.lease(KEY)).toBeUndefined();
});
