import { expect, test } from "vitest";
import { FIELDS } from "./arguments.gen.ts";
import { OTHER_WORDS, otherWord } from "./other-words.ts";

const types = FIELDS as Record<string, object>;

test("other words are of types that there are, and none of their fields", () => {
  for (const [type, words] of Object.entries(OTHER_WORDS)) {
    expect(Object.keys(types)).toContain(type);
    expect(Object.keys(words).filter((key) => Object.hasOwn(types[type] ?? {}, key))).toEqual([]);
  }
});

test("a nested kind has the words of its component, and a staged one those of what it stages", () => {
  expect(otherWord("IpPoolSpec", "encapsulation")).toBe(otherWord("IpPool", "encapsulation"));
  expect(otherWord("StagedGlobalNetworkPolicySpec", "namespace")).toBe(otherWord("GlobalNetworkPolicy", "namespace"));
  expect(otherWord("StagedNetworkPolicy", "podSelector")).toBe(otherWord("CalicoNetworkPolicy", "podSelector"));
  expect(otherWord("CalicoNetworkPolicy", "no such word")).toBeUndefined();
});
