// Every object passes the verifier within its budget on the running kernel and on the oldest that the project supports, Debian's 6.1.
// There every packet test passes too, of those in IPIP the ones in which something is wrapped, and those with objects of their own once for each
// family; test/packets runs all on this one.
import { mkdtempSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { noKernel } from "../../agent/kernel/bpffs.fixture.ts";
import { builds } from "../../tools/bpf.ts";
import { run } from "../../tools/command.ts";
import { preparedObjects } from "../packets/objects.ts";
import { overBudget, readBudget, renewal, versionOf, writeBudget } from "./budget.ts";
import { whyNoGuest } from "./emulators.ts";
import { expectEncrypted } from "./encrypts-only.ts";
import { type Findings, findingsIn, wrong } from "./findings.ts";
import { insideArgv } from "./namespaces.ts";
import { runInGuest } from "./node-guest.ts";

const names = builds().map(({ name }) => name);
const script = join(import.meta.dirname, "inside.ts");
const encrypting = join(import.meta.dirname, "encryption.ts");
const scratch = mkdtempSync(join(tmpdir(), "kernels-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describe(`the running kernel, ${release()}`, () => {
  asked(noKernel || undefined, async () => {
    const { objects, preamble } = await preparedObjects(scratch);
    const [file = "", ...args] = insideArgv(script, objects, preamble, "objects-only");
    return run(file, args, { timeoutSeconds: 1700 });
  });
});

describe("Debian's kernel 6.1", () => {
  const findings = asked(whyNoGuest(), async () =>
    runInGuest({ ...(await preparedObjects(scratch)), script, args: [], further: [encrypting], scratch }, 1700),
  );

  test("is the oldest supported", ({ skip }) => {
    const absent = whyNoGuest();
    if (absent) skip(absent);
    expect(findings().kernel).toMatch(/^6\.1\./);
  });

  test("pods of two nodes speak through WireGuard only, in IPv4 and in IPv6 alone", ({ skip }) => {
    const absent = whyNoGuest();
    if (absent) skip(absent);
    expectEncrypted(findings());
  });

  test("passes every packet test", ({ skip }) => {
    const absent = whyNoGuest();
    if (absent) skip(absent);
    const { kernel, packets } = findings();
    const { length } = Object.keys(packets);
    console.log(`${length} packet tests on Linux ${kernel}`);
    expect(length).toBeGreaterThan(200);
    expect(wrong(packets)).toEqual([]);
  });
});

/** @param absent why this kernel cannot be tested */
function asked(absent: string | undefined, ask: () => Promise<string>): () => Findings {
  let findings: Findings;
  beforeAll(async () => {
    if (!absent) findings = findingsIn(await ask());
  }, 1_800_000);
  const orSkip = ({ skip }: TestContext) => {
    if (absent) skip(absent);
  };

  test.for(names)("verifies %s", (name, context) => {
    orSkip(context);
    const { refused, costs } = findings;
    if (!costs[name])
      expect.fail(`The verifier refuses ${name}.bpf.o:\n${refused[name] ?? "the kernel was not asked"}`);
  });

  test("stays within the budget of its verifier", (context) => {
    orSkip(context);
    const version = versionOf(findings.kernel);
    if (process.env.RENEW_BUDGET) writeBudget(version, findings.costs);
    const budget = readBudget()[version];
    if (!budget) context.skip(`SKIP: budget.json has no figures of Linux ${version}. ${renewal}`);
    const over = overBudget(findings.costs, budget ?? {});
    if (over.length > 0) expect.fail([...over, renewal].join("\n"));
  });

  return () => findings;
}
