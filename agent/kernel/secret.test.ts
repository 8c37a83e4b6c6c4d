import { expect, test } from "vitest";
import { memoryMaps } from "./memory-map.ts";
import { ensureSecret } from "./secret.ts";

test("a node gets a secret once, and keeps it", () => {
  const { secrets } = memoryMaps();
  ensureSecret(secrets);
  const first = secrets.lookup(0);
  expect(first).not.toEqual({ low: 0n, high: 0n });
  ensureSecret(secrets);
  expect(secrets.lookup(0)).toEqual(first);
});

test("another node has another one", () => {
  const [one, other] = [memoryMaps(), memoryMaps()];
  for (const { secrets } of [one, other]) ensureSecret(secrets);
  expect(one.secrets.lookup(0)).not.toEqual(other.secrets.lookup(0));
});

test("the secret of older programs is kept, unless there is one already", () => {
  const { secrets } = memoryMaps();
  const older = { low: 1n, high: 2n };
  ensureSecret(secrets, () => older);
  expect(secrets.lookup(0)).toEqual(older);
  ensureSecret(secrets, () => ({ low: 3n, high: 4n }));
  expect(secrets.lookup(0)).toEqual(older);
});
