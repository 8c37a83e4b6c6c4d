import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { NodeKeys, newKeyPair } from "./keys.ts";

const folder = mkdtempSync(join(tmpdir(), "keys-"));
afterAll(() => rmSync(folder, { recursive: true }));
const DAY = 86_400_000;
let files = 0;
const freshFile = () => join(folder, `keys-${files++}.json`);

test("both halves belong together: two nodes agree on a secret", () => {
  const [one, other] = [newKeyPair(0), newKeyPair(0)];
  const secret = (mine: string, theirs: string) =>
    diffieHellman({
      privateKey: createPrivateKey({
        key: Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), Buffer.from(mine, "base64")]),
        ...{ type: "pkcs8", format: "der" },
      }),
      publicKey: createPublicKey({
        key: Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), Buffer.from(theirs, "base64")]),
        ...{ type: "spki", format: "der" },
      }),
    }).toString("hex");
  expect(secret(one.privateKey, other.publicKey)).toBe(secret(other.privateKey, one.publicKey));
  expect(one.publicKey).not.toBe(other.publicKey);
});

test("a key is published before it is used, and stays over a restart; only root reads it", () => {
  const file = freshFile();
  const keys = new NodeKeys(file);
  const { use, publish } = keys.follow(undefined);
  expect(use).toBeUndefined();
  expect(keys.follow(undefined)).toEqual({ use: undefined, publish });
  expect(keys.follow(publish)).toMatchObject({ use: { publicKey: publish }, publish: undefined });
  expect(new NodeKeys(file).follow(publish)).toMatchObject({ use: { publicKey: publish }, publish: undefined });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a Node object that has lost its key asks for another one, and the old one serves until that is published", () => {
  const file = freshFile();
  const first = new NodeKeys(file).follow(undefined).publish;
  new NodeKeys(file).follow(first);
  const { use, publish } = new NodeKeys(file).follow(undefined);
  expect(use?.publicKey).toBe(first);
  expect(publish).not.toBe(first);
  expect(new NodeKeys(file).follow(first)).toMatchObject({ use: { publicKey: first }, publish });
  expect(new NodeKeys(file).follow(publish)).toMatchObject({ use: { publicKey: publish }, publish: undefined });
  expect(readFileSync(file, "utf8")).not.toContain(String(first));
});

test("a strange key in the Node object is replaced by the node's own, which does not change by it", () => {
  const file = freshFile();
  const own = new NodeKeys(file).follow(undefined).publish;
  const keys = new NodeKeys(file);
  keys.follow(own);
  expect(keys.follow(newKeyPair(0).publicKey)).toMatchObject({ use: { publicKey: own }, publish: own });
});

test.each([31 * DAY, -31 * DAY])("a key that is old is replaced, also by a clock that jumped (%i ms)", (later) => {
  const file = freshFile();
  let now = 100 * DAY;
  const keys = new NodeKeys(file, () => now);
  const first = keys.follow(undefined).publish;
  expect(keys.follow(first).publish).toBeUndefined();
  now += 29 * DAY;
  expect(keys.follow(first).publish).toBeUndefined();
  now = 100 * DAY + later;
  const { use, publish } = keys.follow(first);
  expect(use?.publicKey).toBe(first);
  expect(publish).toBeDefined();
  expect(keys.follow(publish)).toMatchObject({ use: { publicKey: publish }, publish: undefined });
});

test("a damaged file is as good as none", () => {
  const file = freshFile();
  writeFileSync(file, '{"current":{"privateKey":"short"');
  expect(new NodeKeys(file).follow(undefined).publish).toMatch(/^[A-Za-z0-9+/]{43}=$/);
});
