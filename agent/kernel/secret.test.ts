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
