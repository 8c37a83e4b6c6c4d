import pc from "picocolors";
import { expect, test } from "vitest";
import { holds, type Row, type Seen } from "../../report/results/verification.ts";
import { fixtureOccasion } from "../engine/world.fixture.ts";
import { conclusionOf, summarise } from "./summary.ts";
import { renderTable } from "./table.ts";

const seen = (source: string, reply: Seen["reply"] = "direct"): Seen[] => [
  {
    attempts: 1,
    verdict: "allowed",
    clientAddress: "172.31.1.55",
    targetAddress: "172.31.1.8",
    targetPort: 30604,
    source,
    reply,
  },
];
const row = (rest: Partial<Row> = {}): Row => ({
  from: "client1",
  to: "tcp://172.31.1.8:30604",
  expected: "allowed from 172.31.1.55",
  observed: "allowed from 172.31.1.55",
  pass: true,
  ...rest,
});

test("a conclusion says what holds, with the addresses and ways that were seen", () => {
  expect(conclusionOf({ rows: [row({ seen: seen("172.31.1.55") }), row()], problems: [] })).toBe(
    "All 2 rows hold: servers saw the clients' own addresses (172.31.1.55), and replies came directly.",
  );
  expect(conclusionOf({ rows: [row({ seen: seen("172.31.1.8", "viaEntryNode") })], problems: [] })).toBe(
    "1 row holds: servers saw 172.31.1.8, and replies came through the entry node.",
  );
  expect(conclusionOf({ rows: [row()], problems: [] })).toBe("1 row holds.");
});

test("a conclusion names the first row that does not hold", () => {
  const failing = row({ pass: false, observed: "dropped" });
  expect(conclusionOf({ rows: [row(), failing, failing], problems: [] })).toBe(
    "2 of 3 rows do not hold: client1 → tcp://172.31.1.8:30604, expected allowed from 172.31.1.55, observed dropped.",
  );
});

test("a conclusion names what is not known, and which limit is exceeded", () => {
  const problems = [{ what: "the measurement broke off: API server gone.\nmore" }];
  const thresholds = [{ what: "medianUs of EbpfDsr", atMost: 100, observed: 120, pass: false }];
  expect(conclusionOf({ rows: [row()], problems, thresholds })).toBe(
    "1 row holds; 1 limit is exceeded: medianUs of EbpfDsr is 120, allowed at most 100; not everything is known: the measurement broke off: API server gone.",
  );
  expect(conclusionOf({ rows: [], problems })).toMatch(/^Nothing was judged; not everything is known/);
});

test("a conclusion says that cases were skipped, and holds all the same", () => {
  const skipped = [
    { step: "cluster: NodePort", what: "node ports from outside", why: "no machine is known" },
    { step: "cluster: pods", what: "pods of another node", why: "one node" },
  ];
  const result = summarise({ verified: fixtureOccasion, rows: [row()], problems: [], skipped });
  expect(result.verdict).toBe("1 row holds; 2 kinds of cases were skipped: no machine is known.");
  expect(holds(result)).toBe(true);
});

test("undecided rows neither hold nor fail", () => {
  const undecided = "pod default/web-0 had no CPU for 2310 ms of the last 3 s";
  const open = row({ pass: false, undecided, observed: `undecided: ${undecided}` });
  const verified = fixtureOccasion;
  const result = summarise({ verified, rows: [row(), open], problems: [] });
  expect(result).toMatchObject({ passed: 1, failed: 0, undecided: 1 });
  expect(holds(result)).toBe(false);
  expect(result.verdict).toBe(
    `1 of 2 rows hold; 1 row could not be decided: client1 → tcp://172.31.1.8:30604: ${undecided}.`,
  );
  expect(renderTable(result, pc.createColors(false))).toContain("1 passed, 0 failed, 1 open");
  const failing = summarise({ verified, rows: [open, row({ pass: false, observed: "dropped" })], problems: [] });
  expect(failing.verdict).toMatch(/^1 of 2 rows does not hold: .*; 1 row could not be decided: /);
});
