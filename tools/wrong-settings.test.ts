import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

function make(...words: string[]) {
  const { status, stderr } = spawnSync("make", ["--dry-run", ...words], { cwd: root, encoding: "utf8" });
  return { status, stderr };
}

test.each([
  [["up", "NODE=3"], /make up takes no setting NODE; allowed: NODES, CLIENTS, RELEASE, CONFIG /],
  [["status", "WAT=1", "JSON=1"], /make status takes no setting WAT; allowed: WAIT, JSON /],
  // Of a variable that reads another one.
  [
    ["preview", "FOO=1", "NODE=1"],
    /make preview takes no setting FOO, NODE; allowed: STACK, .*, NODES, CLIENTS, CONFIG /,
  ],
  [["up", "status", "WAITS=1"], /make up status takes no setting WAITS; allowed: NODES, .*, WAIT, JSON /],
  [
    ["clean", "SEED=1"],
    /make clean takes no setting SEED; allowed: none \(an environment variable stands before make\)/,
  ],
  [["STACK=aws"], /make help takes no setting STACK; allowed: none/],
])("make %j is refused with what is allowed", (words, said) => {
  const { status, stderr } = make(...words);
  expect(stderr).toMatch(said);
  expect(status).toBe(2);
});

test("what a command's description, its recipe and the documents name is taken", () => {
  const described = [...readFileSync(join(root, "Makefile"), "utf8").matchAll(/^([a-z0-9-]+):.*## (.*)$/gm)];
  const documents = ["README.md", "docs/commands.md", "docs/flows.md", "docs/checks.md", "CONTRIBUTING.md"]
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");
  const commands = [
    ...described.map(([, target = "", text = ""]) => [target, ...(text.match(/\b[A-Z]{2,}(?==)/g) ?? [])]),
    ...[...documents.matchAll(/\bmake ([a-z0-9-]+)((?: [A-Z]+=[^ `|,]*)+)/g)].map(([, target = "", words = ""]) => [
      target,
      ...(words.match(/\b[A-Z]{2,}(?==)/g) ?? []),
    ]),
  ];
  const settings = Map.groupBy(commands, ([target = ""]) => target);
  expect(settings.size).toBeGreaterThan(20);
  for (const [target, ones] of settings) {
    const names = [...new Set(ones.flatMap(([, ...named]) => named))];
    if (names.length === 0) continue;
    const { stderr } = make(target, ...names.map((name) => `${name}=1`));
    expect(stderr).not.toContain("takes no setting");
  }
});

test("what all commands have is not asked for", () => {
  const { stderr } = make("clean", "EBPF_DATAPLANE_LAB=x", "KUBECONFIG=y", "SHELL=/bin/sh");
  expect(stderr).toBe("");
});
