// What the API server of Calico 3.32 refuses of its kinds is refused here with the field and what is allowed, and what it accepts is accepted, but for what
// this dataplane says that it does not support. By the types, their CEL rules and the validator of projectcalico/calico; each object is our own.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Name, refusals } from "../../model/objects/calico-policy/refusals.fixture.ts";

interface Case {
  kind: Name;
  say: string;
  metadata?: object;
  spec: object;
  /** The field that is refused. */
  at: string;
}

const { refused, unsupported, accepted } = parse(
  readFileSync(new URL("./objects.yaml", import.meta.url), "utf8"),
) as Record<"refused" | "unsupported" | "accepted", Case[]>;

describe.each([
  ["refused", refused],
  ["not supported", unsupported],
])("objects: %s", (_, cases) => {
  test.each(cases)("$kind: $say", ({ kind, metadata, spec, at }) => {
    const found = refusals(kind, spec, metadata);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${at.replaceAll(/[.$]/g, "\\$&")}: \\S`));
  });
});

test.each(accepted)("objects: accepted: $kind: $say", ({ kind, metadata, spec }) => {
  expect(refusals(kind, spec, metadata)).toEqual([]);
});

test("objects: no case got lost", () => {
  expect([refused, unsupported, accepted].map(({ length }) => length)).toEqual([114, 5, 46]);
});
