// Everything that kernels.system.test.ts asks Debian's kernel 6.1 on this computer's processor, on arm64: the verifier is the same there, the compiler
// of programs (JIT), the agent's own programs and structs of C are not. Its guest is emulated, so it is part of `make campaigns`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builds } from "../../tools/bpf.ts";
import { preparedObjects } from "../packets/objects.ts";
import { overBudget, readBudget, renewal } from "./budget.ts";
import { guestProcessor, whyNoGuest } from "./emulators.ts";
import { expectEncrypted } from "./encrypts-only.ts";
import { type Findings, findingsIn, wrong } from "./findings.ts";
import { runInGuest } from "./node-guest.ts";

const absent = whyNoGuest("arm64");
if (absent) console.log(absent);

describe.skipIf(absent)("Debian's kernel 6.1 for arm64", () => {
  const scratch = mkdtempSync(join(tmpdir(), "arm64-"));
  let findings: Findings;
  beforeAll(async () => {
    const [script, encrypting] = ["inside.ts", "encryption.ts"].map((name) => join(import.meta.dirname, name)) as [
      string,
      string,
    ];
    const prepared = { ...(await preparedObjects(scratch)), scratch, processor: guestProcessor("arm64") };
    findings = findingsIn(await runInGuest({ ...prepared, script, args: [], further: [encrypting] }, 1700));
  }, 1_800_000);
  afterAll(() => rmSync(scratch, { recursive: true }));

  test("is one", () => {
    expect(findings.kernel).toMatch(/^6\.1\..*-arm64$/);
    expect(findings.processor).toBe("arm64");
  });

  test.for(builds().map(({ name }) => name))("verifies and compiles %s", (name) => {
    const { refused, costs } = findings;
    if (!costs[name]) expect.fail(`${name}.bpf.o is refused:\n${refused[name] ?? "the kernel was not asked"}`);
  });

  test("costs the verifier what it costs elsewhere", () => {
    const over = overBudget(findings.costs, readBudget()["6.1"] ?? {});
    if (over.length > 0) expect.fail([...over, renewal].join("\n"));
  });

  test("passes every packet test", () => {
    expect(Object.keys(findings.packets).length).toBeGreaterThan(200);
    expect(wrong(findings.packets)).toEqual([]);
  });

  test("pods of two nodes speak through WireGuard only", () => expectEncrypted(findings));
});
