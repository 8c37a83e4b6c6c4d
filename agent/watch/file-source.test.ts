import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FileBlockClaims } from "./block-claims.ts";
import { FileSource } from "./file-source.ts";
import { SnapshotStore } from "./snapshot-store.ts";

const node = (name: string, address: string) =>
  `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\nstatus: {addresses: [{type: InternalIP, address: ${address}}]}\n`;

/** ms that only a hang reaches. */
const LONG = 180_000;

describe("FileSource", () => {
  let folder: string;
  let store: SnapshotStore;
  let stop: AbortController;
  const warnings: string[] = [];
  const names = () => store.list("nodes").map(({ metadata }) => metadata.name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "objects-"));
    store = new SnapshotStore(() => {});
    stop = new AbortController();
    warnings.length = 0;
  });
  afterEach(() => {
    stop.abort();
    rmSync(folder, { recursive: true });
  });

  function start(): void {
    const say = (_: object, message: string) => void warnings.push(message);
    void new FileSource(folder, { info: say, warn: say, error: say }).run(store, stop.signal);
  }
  const seen = (...expected: string[]) => vi.waitFor(() => expect(names().sort()).toEqual(expected), LONG);

  test("an empty folder is a complete, empty cluster", async () => {
    start();
    await vi.waitFor(() => expect(store.complete).toBe(true), LONG);
  });

  test("documents, lists and JSON; objects follow their files", async () => {
    writeFileSync(join(folder, "a.yaml"), `${node("a", "10.0.0.1")}---\n${node("b", "10.0.0.2")}`);
    writeFileSync(
      join(folder, "c.json"),
      JSON.stringify({ kind: "List", items: [{ apiVersion: "v1", kind: "Node", metadata: { name: "c" } }] }),
    );
    start();
    await seen("a", "b", "c");
    writeFileSync(join(folder, "a.yaml"), node("a", "10.0.0.1"));
    await seen("a", "c");
    unlinkSync(join(folder, "c.json"));
    await seen("a");
  });

  test("a file that becomes invalid YAML keeps its last valid objects", async () => {
    writeFileSync(join(folder, "a.yaml"), node("a", "10.0.0.1"));
    start();
    await seen("a");
    writeFileSync(join(folder, "a.yaml"), "kind: [Node");
    writeFileSync(join(folder, "b.yaml"), node("b", "10.0.0.2"));
    await seen("a", "b");
    expect(warnings.some((line) => line.startsWith("a.yaml is not valid YAML"))).toBe(true);
  });

  test.each([
    ["a quote that does not end", 'tor: "s3cret', "line 6, column 1"],
    ["a word that would be an alias", "tor: *s3cret", "an alias"],
    ["a word with a colon", "tor: a: s3cret", "line 5, column 8"],
  ])("of a file with a Secret nothing is logged but the place of %s", async (_, data, place) => {
    const secret = `apiVersion: v1\nkind: Secret\nmetadata: { name: bgp }\nstringData:\n  ${data}\n`;
    writeFileSync(join(folder, "a.yaml"), secret);
    start();
    await vi.waitFor(() => expect(warnings).toHaveLength(1), LONG);
    expect(warnings[0]).toContain(place);
    expect(warnings[0]).not.toContain("s3cret");
  });

  test("a namespaced object without namespace is in default", async () => {
    writeFileSync(join(folder, "p.yaml"), "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: []}\n");
    start();
    await vi.waitFor(() => expect(store.list("pods")[0]?.metadata.namespace).toBe("default"), LONG);
  });

  test("of two claims on one block one is refused, and a claim is an ordinary object", async () => {
    const claims = new FileBlockClaims(folder, store);
    const block = { name: "10-244-0-0-26", cidr: "10.244.0.0/26", node: "a", pool: "default" };
    const results = await Promise.all([claims.create(block), claims.create({ ...block, node: "b" })]);
    expect(results.sort()).toEqual(["created", "exists"]);
    start();
    await vi.waitFor(() => expect(claims.list().map(({ cidr }) => cidr)).toEqual(["10.244.0.0/26"]), LONG);
  });
});
