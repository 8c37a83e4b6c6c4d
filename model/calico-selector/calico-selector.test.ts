import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonical, printed } from "./canonical.ts";
import { type Expression, fits, labelsOf, lookupIn, requiredLabels } from "./expression.ts";
import { parseSelector } from "./parse.ts";
import { possible } from "./possible.ts";

function read(text: string): Expression {
  const { expression, fault } = parseSelector(text) as { expression?: Expression; fault?: string };
  if (!expression) throw new Error(`${text}: ${fault}`);
  return expression;
}
const says = (text: string, labels: Record<string, string>) => fits(read(text), lookupIn(labels));

// Facts of Calico's parser, libcalico-go/lib/selector.
test.each<[selector: string, fitting: Record<string, string>[], others: Record<string, string>[]]>([
  ["", [{}, { a: "b" }], []],
  [" \t", [{}], []],
  ["all()", [{}, { a: "b" }], []],
  ["global( )", [{}, { a: "b" }], []],
  ["!all()", [], [{}, { a: "b" }]],
  ['a == "b"', [{ a: "b" }, { a: "b", c: "d" }], [{}, { a: "c" }, { c: "b" }]],
  ["a=='b'", [{ a: "b" }], [{}]],
  ['a == ""', [{ a: "" }], [{}, { a: "b" }]],
  ['a != "b"', [{}, { a: "c" }], [{ a: "b" }]],
  ['!a == "b"', [{}, { a: "c" }], [{ a: "b" }]],
  ['!a != "b"', [{ a: "b" }], [{}, { a: "c" }]],
  [`a in {"'", '"', "c"}`, [{ a: "c" }, { a: '"' }, { a: "'" }], [{}, { a: "e" }]],
  [`a not in {"b", 'c',}`, [{}, { a: "e" }], [{ a: "b" }, { a: "c" }]],
  ["a in {}", [], [{}, { a: "" }]],
  ["a notin{}", [{}, { a: "" }], []],
  ['a contains "bc"', [{ a: "abcd" }, { a: "bc" }], [{}, { a: "b" }]],
  ['a contains ""', [{ a: "x" }], [{}]],
  ['a starts with "b"', [{ a: "b" }, { a: "bc" }], [{}, { a: "ab" }]],
  ['a startswith"b"', [{ a: "bc" }], [{ a: "ab" }]],
  ['a ends \twith "b"', [{ a: "b" }, { a: "ab" }], [{}, { a: "bc" }]],
  ["has(a)", [{ a: "" }], [{}]],
  ["has( a )", [{ a: "b" }], [{ b: "a" }]],
  ["!!! has(a)", [{}], [{ a: "" }]],
  ['a == "1" || b == "1" && c == "1"', [{ a: "1" }, { b: "1", c: "1" }], [{ b: "1" }, { c: "1" }]],
  ['(a == "1" || b == "1") && c == "1"', [{ a: "1", c: "1" }], [{ a: "1" }, { b: "1" }]],
  ['!a == "1" && b == "1"', [{ b: "1" }], [{ a: "1", b: "1" }, {}]],
  ["!(has(a) || has(b))", [{}], [{ a: "" }, { b: "" }]],
  ['projectcalico.org/namespace == "x"', [{ "projectcalico.org/namespace": "x" }], [{}]],
  ['-_./9Az == "x"', [{ "-_./9Az": "x" }], [{}]],
  // Words of the language are names of labels where a label stands.
  ['in in {"x"} && has == "y" && all != "z" && contains contains "c"', [{ in: "x", has: "y", contains: "c" }], [{}]],
  ['constructor == "x" || has(toString)', [], [{}]],
])("%s", (selector, fitting, others) => {
  for (const labels of fitting) expect([labels, says(selector, labels)]).toEqual([labels, true]);
  for (const labels of others) expect([labels, says(selector, labels)]).toEqual([labels, false]);
});

test.each([
  ["b == b", 'column 6: expected a value in quotes: "b"'],
  [
    "a = 'b'",
    "column 3: expected an operator after a label: ==, !=, contains, starts with, ends with, not in, in; did you mean ==?",
  ],
  ["b contains b", 'column 12: expected a value in quotes: "b"'],
  ["b starts with b", 'column 15: expected a value in quotes: "b"'],
  ["'b1' == b", "column 1: expected a label's name, which has no quotes"],
  ["b", "column 2: expected an operator after a label"],
  ["a b", "column 3: expected an operator after a label"],
  ["!", "column 2: expected a label's name, has(…), all(), ! or ("],
  ["foo == 'bar' &", "column 14: expected &&, || or the end; did you mean &&?"],
  ["a == 'b' and c == 'd'", "column 10: expected &&, || or the end; did you mean &&?"],
  ["foo != ||", "column 8: expected a value in quotes"],
  ['foo in {"", ||', "column 13: expected a value in quotes"],
  ['foo in ""', "column 8: expected { after in"],
  ["foo in {,}", "column 9: expected a value in quotes"],
  ["foo in {'a' 'b'}", 'column 13: expected "," or "}" after a value'],
  [`a == "FOO'`, 'column 6: the text that begins with " has no end'],
  ['(a == "foo"', 'column 12: expected &&, || or the ")" of the parenthesis at column 1'],
  [")", "column 1: expected a label's name, has(…), all(), ! or ("],
  ["()", "column 2: expected a label's name, has(…), all(), ! or ("],
  ["a == 'b')", "column 9: expected &&, || or the end"],
  ["%", "column 1: expected a label's name"],
  ["has(foo) &&", "column 12: expected a label's name, has(…), all(), ! or ("],
  ["has()", "column 5: expected a label's name"],
  ["has(a b)", 'column 7: expected ")" after has(a'],
  ["has (a)", "column 5: expected an operator after a label"],
  ["all(a)", 'column 5: expected ")" after all('],
  ["a == 'b'\n", "column 9: expected &&, || or the end; a selector is one line"],
  ["a containsx 'b'", "column 3: expected an operator after a label"],
  [`${"x".repeat(513)} == 'a'`, "column 1: a label's name of 513 characters; allowed are 512"],
])("%s is refused with the position", (selector, message) => {
  expect(parseSelector(selector).fault?.slice(0, message.length)).toBe(message);
});

describe("one text", () => {
  test.each([
    ["", "all()"],
    [" (all() )", "all()"],
    [`a in {"d", 'a', "d"}`, 'a in {"a", "d"}'],
    ["a in {'d'}", 'a == "d"'],
    ["!a == 'd'", 'a != "d"'],
    ["!(a notin {'x','y'})", 'a in {"x", "y"}'],
    ["!(!has(a))", "has(a)"],
    ["b == 'x' && (a == 'x' && has(c)) && b == 'x' && all()", 'a == "x" && b == "x" && has(c)'],
    ["a == 'x' || b in {}", 'a == "x"'],
    ["a == 'x' && b in {}", "!all()"],
    ["(a == 'x' || has(b)) && !(has(c) && has(d))", '!(has(c) && has(d)) && (a == "x" || has(b))'],
    [`a == '"'`, `a == '"'`],
  ])("%s is %s", (selector, text) => {
    expect(printed(canonical(read(selector)))).toBe(text);
  });
});

const label = fc.constantFrom("a", "b", "in", "has", "x.y/z-1");
const value = fc.oneof(
  fc.constantFrom("", "a", "ab", "in", "é"),
  fc.string().filter((text) => !(/"/.test(text) && /'/.test(text))),
);
const comparison = fc.constantFrom("==", "!=", "contains", "starts with", "ends with" as const);
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<Expression>({ kind: "all" }, { kind: "global" }),
    fc.record({ kind: fc.constant("has" as const), label }),
    fc.record({ kind: comparison, label, value }) as fc.Arbitrary<Expression>,
    fc.record({
      kind: fc.constantFrom("in" as const, "not in" as const),
      label,
      values: fc.uniqueArray(value, { maxLength: 3 }).map((values) => values.sort()),
    }),
    fc.record({ kind: fc.constant("not" as const), operand: tie("expression") }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      operands: fc.array(tie("expression"), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));
const labels = fc.dictionary(label, fc.oneof(fc.constantFrom("", "a", "ab", "in", "é"), fc.string()));

describe("of any expression", () => {
  test("the text is read as the same", () => {
    fc.assert(
      fc.property(expression, (one) => {
        expect(read(printed(one))).toEqual(one);
      }),
      { numRuns: 2_000 },
    );
  });

  test("the one text means the same, and is its own", () => {
    const property = fc.property(expression, labels, (one, of) => {
      const other = canonical(one);
      expect(fits(other, lookupIn(of))).toBe(fits(one, lookupIn(of)));
      expect(printed(canonical(read(printed(other))))).toBe(printed(other));
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test("whoever fits has the required labels, and only the named labels decide", () => {
    const property = fc.property(expression, labels, (one, of) => {
      const named = new Set(labelsOf(one));
      const relevant = Object.fromEntries(Object.entries(of).filter(([key]) => named.has(key)));
      const fitting = fits(one, lookupIn(of));
      expect(fits(one, lookupIn(relevant))).toBe(fitting);
      if (fitting) for (const [key, text] of requiredLabels(one)) expect(of[key]).toBe(text);
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test("any text is read or refused with its column", () => {
    const words = fc.constantFrom(
      "a",
      "==",
      "!=",
      "!",
      "(",
      ")",
      "{",
      "}",
      ",",
      "'x'",
      '"y"',
      "in",
      "not in",
      "has(",
      "has(a)",
      "all()",
      "&&",
      "||",
      " ",
      "contains",
      "starts with",
      "\n",
    );
    const property = fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((all) => all.join("")),
      ),
      (text) => {
        const { fault } = parseSelector(text);
        if (fault !== undefined) expect(fault).toMatch(/^column \d+: ./);
      },
    );
    fc.assert(property, { numRuns: 3_000 });
  });
});

test.each<[string, string]>([
  ["a million characters", Array.from({ length: 50_000 }, (_, index) => `a${index} == 'x'`).join(" && ")],
  ["10,000 parentheses", `${"(".repeat(10_000)}all()${")".repeat(10_000)}`],
  ["10,000 negated parentheses", `${"!(".repeat(10_000)}all()${")".repeat(10_000)}`],
  ["a million exclamation marks", `${"!".repeat(1_000_000)}all()`],
  ["a million quotes", "'".repeat(1_000_001)],
  ["a set of 100,000 values", `a in {${"'x',".repeat(100_000)}}`],
  ["a million spaces before a fault", `a${" ".repeat(1_000_000)}b`],
  ["words that nearly are operators", `a not${" ".repeat(500_000)}out`],
])("%s take no more than a moment", (_, text) => {
  const before = process.threadCpuUsage();
  const { expression: read } = parseSelector(text) as { expression?: Expression };
  if (read) fits(read, lookupIn({}));
  expect(process.threadCpuUsage(before).user).toBeLessThan(5_000_000);
});

test("as many parentheses as fit in Calico's 1,024 characters are read", () => {
  const text = `${"(".repeat(509)}all()${")".repeat(509)}`;
  expect(read(text)).toEqual({ kind: "all" });
  const faulty = `${"!(".repeat(513)}all()${")".repeat(513)}`;
  expect(parseSelector(faulty).fault).toBe("column 1026: more than 512 parentheses inside each other");
});

test("what labels may say that are not all known covers what they say whichever they are", () => {
  const property = fc.property(expression, labels, fc.subarray(["a", "b", "in", "has"]), (one, of, unknown) => {
    const open = new Set<string>(unknown);
    const said = possible(one, (name) =>
      open.has(name) ? "?" : { ...(Object.hasOwn(of, name) && { value: of[name] }) },
    );
    expect(said[fits(one, lookupIn(of)) ? "yes" : "no"]).toBe(true);
    if (open.size === 0) expect(said.yes).not.toBe(said.no);
  });
  fc.assert(property, { numRuns: 2_000 });
});
