// A result as JUnit XML, for CI systems: one test suite for each step, one test case for each row. What is written is what both usual
// schemas take (Ant's, whose readers want every attribute and `system-out`, and the one of Jenkins' xUnit plugin).
import type { Occasion } from "../../report/results/occasion.ts";
import type { Problem, Row, Skipped, ThresholdResult, VerificationResult } from "../../report/results/verification.ts";

/** A test case, and what it came to. */
interface Case {
  name: string;
  seconds: number;
  outcome?: { kind: "failure" | "error" | "skipped"; type?: string; message: string; text?: string };
}

export function junitOf(result: VerificationResult): string {
  const { rows, skipped = [], problems, thresholds = [], verified } = result;
  const all = [
    ...rows.map((row) => ({ step: row.step ?? "check", one: caseOf(row) })),
    ...skipped.map((cases) => ({ step: cases.step, one: skippedCase(cases) })),
    ...thresholds.map((limit) => ({ step: "limits", one: limitCase(limit) })),
    ...problems.map((problem) => ({ step: "what is not known", one: problemCase(problem) })),
  ];
  const steps = Map.groupBy(all, ({ step }) => step);
  const suites = [...steps].map(([step, cases], id) =>
    suiteOf(id, step, withOwnNames(cases.map(({ one }) => one)), verified),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", {}, suites)}`;
}

function caseOf({ from, to, expected, observed, pass, undecided, seconds = 0, reasons, evidence, next }: Row): Case {
  const text = [...(evidence ?? []), ...(next ?? []).map((hint) => `look at: ${hint}`)].join("\n");
  const name = `${from} → ${to}: ${expected}`;
  if (undecided !== undefined)
    return { name, seconds, outcome: { kind: "error", type: "undecided", message: undecided, text } };
  if (pass) return { name, seconds };
  const message = `expected ${expected}; observed ${observed}`;
  return { name, seconds, outcome: { kind: "failure", type: reasons?.join(" ") || "expectation", message, text } };
}

const skippedCase = ({ what, why }: Skipped): Case => ({
  name: what,
  seconds: 0,
  outcome: { kind: "skipped", message: why },
});

const limitCase = ({ what, atMost, observed, pass }: ThresholdResult): Case => ({
  name: what,
  seconds: 0,
  ...(!pass && {
    outcome: {
      kind: "failure",
      type: "limit",
      message: `observed ${observed ?? "nothing"}, allowed at most ${atMost}`,
    },
  }),
});

const problemCase = ({ what, next }: Problem): Case => ({
  name: what,
  seconds: 0,
  outcome: { kind: "error", type: "problem", message: what, ...(next && { text: `next: ${next}` }) },
});

/** Readers tell test cases apart by their names; rows may be alike. */
function withOwnNames(cases: Case[]): Case[] {
  const times = new Map<string, number>();
  return cases.map((one) => {
    const time = (times.get(one.name) ?? 0) + 1;
    times.set(one.name, time);
    return time === 1 ? one : { ...one, name: `${one.name} (${time})` };
  });
}

function suiteOf(id: number, step: string, cases: Case[], verified: Occasion): string {
  const count = (kind: string) => cases.filter(({ outcome }) => outcome?.kind === kind).length;
  const attributes = {
    name: step,
    package: "ebpf-dataplane",
    id,
    timestamp: verified.begunAt.slice(0, "2026-11-29T12:00:00".length),
    hostname: hostOf(verified.cluster.server),
    tests: cases.length,
    failures: count("failure"),
    errors: count("error"),
    skipped: count("skipped"),
    // Rows of a step are tried side by side.
    time: Math.max(0, ...cases.map(({ seconds }) => seconds)).toFixed(3),
  };
  const properties = Object.entries(propertiesOf(verified)).flatMap(([name, value]) =>
    value === undefined ? [] : [element("property", { name, value })],
  );
  return element("testsuite", attributes, [
    element("properties", {}, properties),
    ...cases.map((one) => caseElement(step, one)),
    element("system-out"),
    element("system-err"),
  ]);
}

function caseElement(step: string, { name, seconds, outcome }: Case): string {
  const attributes = { name, classname: step, time: seconds.toFixed(3) };
  if (!outcome) return element("testcase", attributes);
  const { kind, type, message, text } = outcome;
  return element("testcase", attributes, [
    element(kind, { ...(type && { type }), message }, text ? [escaped(text)] : [], ""),
  ]);
}

function propertiesOf({ begunAt, endedAt, cluster, version, commit }: Occasion): Record<string, string | undefined> {
  const { server, id, kubernetes, engine } = cluster;
  return { begunAt, endedAt, server, clusterId: id, kubernetes, engine, version, commit };
}

function hostOf(server: string): string {
  return URL.parse(server)?.host || "unknown";
}

/** @param between what separates the content from the tags: nothing where white space counts */
function element(
  name: string,
  attributes: Record<string, string | number> = {},
  content: string[] = [],
  between = "\n",
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${attribute(String(value))}"`);
  const open = `<${name}${written.join("")}`;
  return content.length === 0 ? `${open}/>` : `${open}>${between}${content.join(between)}${between}</${name}>`;
}

const REFERENCES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** What XML 1.0 cannot write, not even as a reference: most control characters, and lone surrogates. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text, or with line breaks as references the value of an attribute, in which a reader takes them for spaces. */
const escaped = (text: string): string =>
  text.replace(NOT_XML, "\ufffd").replace(/[&<>"]/g, (character) => REFERENCES[character] ?? "");

const attribute = (value: string): string =>
  escaped(value).replace(/[\t\n\r]/g, (white) => `&#${white.charCodeAt(0)};`);
