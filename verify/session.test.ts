// Mistakes in what is written where. Nothing of a cluster is needed: results are forgotten before anything is reached.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { checkCommand } from "./check-command.ts";
import { verifyCommand } from "./verify-command.ts";

const CHECK = "name: one\nsteps: [{ expect: [{ from: client1, to: 'tcp://172.31.1.8:80', verdict: dropped }] }]\n";
const common = { lab: "none", json: false, quiet: true };

function said() {
  const lines = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => lines.mockRestore());
  return () => lines.mock.calls.flat().join("\n");
}

test("--out of a check that is a folder is said in words", async () => {
  const folder = mkdtempSync(join(tmpdir(), "session-"));
  const check = join(folder, "one.check.yaml");
  writeFileSync(check, CHECK);
  const words = said();
  expect(await checkCommand([check], { ...common, out: folder })).toBe(2);
  expect(words()).toBe(`${folder} is a folder; name a file.`);
});

test("--out of a verification that is a file is said in words", async () => {
  const folder = mkdtempSync(join(tmpdir(), "session-"));
  const document = join(folder, "document.json");
  writeFileSync(
    document,
    JSON.stringify({
      name: "one",
      checks: [],
      checkFiles: [{ name: "one", text: CHECK }],
      thresholds: [],
      machines: [],
    }),
  );
  const words = said();
  const beside = { measureIn: () => async () => undefined as never, writePage: () => {} };
  expect(await verifyCommand(document, { ...common, out: document }, beside)).toBe(2);
  expect(words()).toBe(
    `${join(document, "verification.json")} is not below a folder; name one that exists or can be made.`,
  );
});

test.each([
  [{ suite: "clutser" }, 'there is no suite "clutser"; did you mean "cluster"? (suites: cluster)'],
  [{}, "nothing to check: name a check file, or give --suite cluster"],
  [{ print: true }, "--print prints a suite: give --suite cluster, and no files"],
  [{ suite: "cluster", print: true, junit: "x.xml" }, "--print runs nothing, so there is no result for --junit"],
  [{ suite: "cluster", junit: "./out/a" }, "--junit and --out name the same file, out/a; name two"],
])("%o is refused before anything is reached", async (options, sentence) => {
  const words = said();
  expect(await checkCommand([], { ...common, out: "out/a", ...options })).toBe(2);
  expect(words()).toBe(sentence);
});
