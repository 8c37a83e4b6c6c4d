import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import type { EncryptionPlan } from "../../model/encryption/encryption.ts";
import type { WireguardChange, WireguardDevice } from "../kernel/wireguard.ts";
import { createLog } from "../observe/log.ts";
import { difference, Encryption } from "./encryption.ts";

const folder = mkdtempSync(join(tmpdir(), "encryption-"));
afterAll(() => rmSync(folder, { recursive: true }));
const key = (byte: number) => Buffer.alloc(32, byte).toString("base64");
const peer = (byte: number, address: string) => ({ node: `node${byte}`, publicKey: key(byte), address });
const seen = (byte: number, address: string, lastHandshake = 0, sent = 0n) => ({
  ...{ publicKey: key(byte), address, lastHandshake },
  ...{ received: 0n, sent },
});

function node({ fails = "", attached = true, failure = "" } = {}) {
  const changes: WireguardChange[] = [];
  const state = {
    attached,
    device: { publicKey: undefined, peers: [] } as WireguardDevice,
    published: [] as string[],
    tried: 0,
  };
  const encryption = new Encryption({
    ...{ node: "a", runDirectory: mkdtempSync(join(folder, "node-")), log: createLog("silent") },
    publish: async (publicKey) => {
      state.tried++;
      if (fails) throw new Error(fails);
      state.published.push(publicKey);
    },
    failure: () => failure || undefined,
    attach: () => state.attached,
    change: (_, change) => void changes.push(change),
    read: () => state.device,
  });
  return { encryption, changes, state };
}

const plan = (rest: Partial<EncryptionPlan> = {}): EncryptionPlan => ({
  ...{ published: undefined, peers: [], without: [], problems: [] },
  ...rest,
});

test("a node publishes its key, then uses it, and touches no peer that stays", async () => {
  const { encryption, changes, state } = node();
  expect(encryption.apply(plan({ peers: [peer(1, "192.0.2.1")] }))).toEqual([]);
  expect(changes).toMatchObject([{ privateKey: undefined, peers: [peer(1, "192.0.2.1")] }]);
  await vi.waitFor(() => expect(state.published).toHaveLength(1), 180_000);
  state.device = { publicKey: undefined, peers: [seen(1, "192.0.2.1")] };
  const [published] = state.published;
  const both = [peer(1, "192.0.2.1"), peer(2, "192.0.2.2")];
  expect(encryption.apply(plan({ published, peers: both }))).toEqual([]);
  expect(changes[1]?.privateKey).toMatch(/=$/);
  expect(changes[1]).toMatchObject({ remove: [], peers: [peer(2, "192.0.2.2")], port: 51820 });
  encryption.apply(plan({ published, peers: both }));
  expect(changes).toHaveLength(2);
  encryption.lookAgain();
  encryption.apply(plan({ published, peers: both }));
  expect(changes).toHaveLength(3);
});

test("a peer with another key or address is told anew, one that is gone is removed", () => {
  const present = { peers: [seen(1, "192.0.2.1"), seen(2, "192.0.2.2"), seen(3, "192.0.2.3")] };
  expect(difference(present, [peer(1, "192.0.2.1"), peer(4, "192.0.2.2"), peer(3, "192.0.2.9")])).toEqual({
    remove: [key(2)],
    peers: [peer(4, "192.0.2.2"), peer(3, "192.0.2.9")],
  });
});

test("no peer is told before the device has its programs", () => {
  const { encryption, changes, state } = node({ attached: false });
  encryption.apply(plan({ peers: [peer(1, "192.0.2.1")] }));
  expect(changes).toEqual([]);
  state.attached = true;
  encryption.apply(plan({ peers: [peer(1, "192.0.2.1")] }));
  expect(changes).toHaveLength(1);
});

test("a kernel without WireGuard is said at the Node, with what follows from it; nothing is published", () => {
  const { encryption, changes, state } = node({ failure: "Error: Unknown device type." });
  const [problem] = encryption.apply(plan());
  expect(problem).toMatchObject({ kind: "Node", name: "a" });
  expect(problem?.message).toMatch(
    /no WireGuard \(Error: Unknown device type\.\).*nothing is sent that is not encrypted/,
  );
  expect([changes, state.published]).toEqual([[], []]);
});

test("a key that cannot be published is said, and tried again at the next look, not in every pass", async () => {
  const { encryption, state } = node({ fails: "forbidden" });
  encryption.apply(plan());
  await vi.waitFor(() => expect(encryption.apply(plan())[0]?.message).toMatch(/forbidden.*Dataplane/), 180_000);
  expect(state.tried).toBe(1);
  encryption.lookAgain();
  encryption.apply(plan());
  expect(state.tried).toBe(2);
  expect(encryption.apply(undefined)).toEqual([]);
});

test("its status names each peer with the age of its session, whether it was asked for one, and nodes without a key", () => {
  const { encryption, state } = node();
  expect(encryption.status(0)).toBeUndefined();
  const peers = [peer(1, "192.0.2.1"), peer(2, "192.0.2.2"), peer(3, "192.0.2.3")];
  encryption.apply(plan({ peers, without: ["c"] }));
  const asked = seen(3, "192.0.2.3", 0, 148n);
  state.device = { publicKey: key(9), peers: [seen(1, "192.0.2.1", 1_000, 500n), seen(2, "192.0.2.2"), asked] };
  expect(encryption.status(1_007_000)).toEqual({
    without: ["c"],
    peers: [
      { node: "node1", handshakeSecondsAgo: 7, asked: true },
      { node: "node2", handshakeSecondsAgo: null, asked: false },
      { node: "node3", handshakeSecondsAgo: null, asked: true },
    ],
  });
});
