import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { encryptionGauges } from "./encryption-metrics.ts";
import type { EncryptionStatus } from "./status/node-status.ts";

async function shown(status: EncryptionStatus | undefined): Promise<string[]> {
  const registry = new Registry();
  encryptionGauges(() => status, "p_", [registry]);
  return (await registry.metrics()).split("\n").filter((line) => line && !line.startsWith("#"));
}

const peer = (node: string, handshakeSecondsAgo: number | null, asked = handshakeSecondsAgo !== null) => ({
  ...{ node, handshakeSecondsAgo, asked },
});

test("nothing is shown where packets are not encrypted", async () => {
  expect(await shown(undefined)).toEqual([]);
});

test("a node that has never answered is told from one that nothing was sent to", async () => {
  const peers = [peer("b", 7), peer("c", null, true), peer("d", null), peer("e", 0)];
  expect(await shown({ peers, without: ["f"] })).toEqual([
    'p_encryption_peers{state="answered"} 2',
    'p_encryption_peers{state="waiting"} 1',
    'p_encryption_peers{state="silent"} 1',
    'p_encryption_peers{state="without_key"} 1',
    'p_encryption_handshake_age_seconds{peer="b"} 7',
    'p_encryption_handshake_age_seconds{peer="e"} 0',
  ]);
});

test("of many nodes those are named whose last handshake is longest ago", async () => {
  const peers = Array.from({ length: 250 }, (_, age) => peer(`node${age}`, age));
  const ages = (await shown({ peers, without: [] })).filter((line) => line.includes("age_seconds"));
  expect(ages).toHaveLength(101);
  expect(ages[0]).toContain('peer="node249"} 249');
  expect(ages[99]).toContain('peer="node150"} 150');
  expect(ages[100]).toContain('peer="other nodes"} 149');
});
