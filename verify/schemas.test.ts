import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { resultSchema } from "../report/results/verification.ts";
import { fixtureOccasion } from "./engine/world.fixture.ts";
import { readChecks } from "./format/read.ts";
import { publishedSchemas } from "./schemas.ts";
import { summarise } from "./verification/summary.ts";

const docs = join(import.meta.dirname, "..", "docs");

describe("published schemas", () => {
  it.each(publishedSchemas().map(({ path, content }) => ({ name: basename(path), path, content })))(
    "$name is what the code says (otherwise: node verify/schemas.ts)",
    ({ path, content }) => expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(JSON.parse(content)),
  );

  it("describe the result with its five fields per row", () => {
    const row = { from: "client1", to: "tcp://a:1", expected: "allowed", observed: "dropped", pass: false };
    const result = summarise({ verified: fixtureOccasion, rows: [row], problems: [] });
    expect(resultSchema.parse(result)).toMatchObject({ passed: 0, failed: 1, rows: [row], problems: [] });
  });
});

describe("the documentation", () => {
  it("shows checks that are valid", () => {
    const text = readFileSync(join(docs, "checks.md"), "utf8");
    const blocks = [...text.matchAll(/```yaml\n(name:[\s\S]*?)```/g)].map(([, block = ""]) => block);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) expect(readChecks(block, "checks.md")).toHaveLength(1);
  });

  it.each(["walkthrough", "udp-spread", "default-deny", "session"])("has a valid example %s", (name) => {
    const file = join(docs, "checks", `${name}.check.yaml`);
    expect(readChecks(readFileSync(file, "utf8"), file)).toHaveLength(1);
  });
});
