// The repository's check files: each can be read, and those that run one after the other on a cluster do not use each other's names and ports.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readChecks } from "../../verify/format/read.ts";

const root = join(import.meta.dirname, "..", "..");
const files = ["docs/checks", "test/walkthrough/checks", "test/sig-network", "test/calico-specs"].flatMap((folder) =>
  readdirSync(join(root, folder)).flatMap((name) => (name.endsWith(".check.yaml") ? `${folder}/${name}` : [])),
);
const read = (file: string) => readChecks(readFileSync(join(root, file), "utf8"), file);

test.each(files)("%s can be read", (file) => expect(read(file)).not.toEqual([]));

test("files of specs have namespaces and node ports of their own", () => {
  const owners = new Map<string, string>();
  const claims = files
    .filter((file) => /^test.(sig-network|calico-specs)/.test(file))
    .flatMap((file) => claimsOf(file));
  for (const { claim, file } of claims) {
    expect(owners.get(claim) ?? file, claim).toBe(file);
    owners.set(claim, file);
  }
  expect(owners.size).toBeGreaterThan(20);
});

/** Names of namespaces, and node ports, in everything that a file applies. */
function claimsOf(file: string): { claim: string; file: string }[] {
  const objects = read(file).flatMap(({ setup, steps }) => [...setup, ...steps.flatMap(({ apply }) => apply)]);
  return objects.flatMap(({ kind, metadata, spec }) => {
    const ports = (spec as { ports?: { nodePort?: number }[] } | undefined)?.ports ?? [];
    const names = kind === "Namespace" ? [`namespace ${metadata.name}`] : [];
    return [...names, ...ports.flatMap(({ nodePort }) => nodePort ?? []).map((port) => `node port ${port}`)].map(
      (claim) => ({ claim, file }),
    );
  });
}
