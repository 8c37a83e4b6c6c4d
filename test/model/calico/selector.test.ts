// The product's selector language and this evaluator's, which share no code, on the same texts.
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonical, printed } from "../../../model/calico-selector/canonical.ts";
import { fits, lookupIn } from "../../../model/calico-selector/expression.ts";
import { parseSelector } from "../../../model/calico-selector/parse.ts";
import { selects } from "./selector.ts";

/** Some of them are words of the language too. */
const KEYS = ["a", "b", "in", "not", "contains", "has", "all", "starts", "x/y", "with-dash", "dot.ted"];
const VALUES = ["", "a", "b", "ab", "aba", "a b", "&&", "in", "(", "x/y"];

const key = fc.constantFrom(...KEYS);
const space = fc.constantFrom("", " ", "  ", "\t");
const gap = fc.constantFrom(" ", "  ");
const value = fc
  .tuple(fc.constantFrom(...VALUES), fc.constantFrom("'", '"'))
  .map(([text, quote]) => `${quote}${text}${quote}`);
const values = fc
  .tuple(fc.array(value, { maxLength: 3 }), space)
  .map(([list, blank]) => `{${blank}${list.join(`,${blank}`)}${blank}}`);
const comparison = fc.oneof(
  fc.tuple(key, space, fc.constantFrom("==", "!="), space, value).map((parts) => parts.join("")),
  fc
    .tuple(key, gap, fc.constantFrom("contains", "starts with", "ends with"), space, value)
    .map((parts) => parts.join("")),
  fc.tuple(key, gap, fc.constantFrom("in", "not in"), space, values).map((parts) => parts.join("")),
  key.map((name) => `has(${name})`),
  fc.constant("all()"),
);
const { selector } = fc.letrec<{ selector: string }>((tie) => ({
  selector: fc.oneof(
    { maxDepth: 4 },
    comparison,
    fc
      .tuple(tie("selector"), space, fc.constantFrom("&&", "||"), space, tie("selector"))
      .map((parts) => parts.join("")),
    fc.tuple(space, tie("selector"), space).map(([before, inside, after]) => `(${before}${inside}${after})`),
    fc.tuple(space, comparison).map(([blank, inside]) => `!${blank}${inside}`),
    fc.tuple(space, tie("selector")).map(([blank, inside]) => `!${blank}(${inside})`),
  ),
}));
const labels = fc.dictionary(key, fc.constantFrom(...VALUES), { maxKeys: 4 });

test("selectors select the same labels, in their own text and in the canonical one", () => {
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(selector, fc.array(labels, { minLength: 3, maxLength: 3 }), (text, subjects) => {
      const { expression } = parseSelector(text) as { expression: Parameters<typeof fits>[0] };
      const canonicalText = printed(canonical(expression));
      for (const subject of subjects) {
        const wanted = selects(text, subject);
        seen[`${wanted}`]++;
        expect(fits(expression, lookupIn(subject)), JSON.stringify(subject)).toBe(wanted);
        expect(selects(canonicalText, subject), canonicalText).toBe(wanted);
      }
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(2000);
});
