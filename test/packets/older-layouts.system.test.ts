// Connections outlive the layout of the maps (decision 31): what older programs know is taken over while packets meet both.
import { closeSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { address } from "../../agent/kernel/address.ts";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { encodeOne } from "../../agent/kernel/codec.ts";
import { type Connection, ConnectionFlag, origin, tuple } from "../../agent/kernel/layout.gen.ts";
import { libbpf } from "../../agent/kernel/libbpf.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { olderSecret, takeOver } from "../../agent/kernel/older-layouts.ts";
import { switched } from "../../agent/kernel/resize.ts";
import { includes } from "../../tools/bpf.ts";
import { run } from "../../tools/command.ts";
import { arrives, meet, type Step, sends } from "./cases/step.ts";
import { nodes, outside } from "./cluster.ts";
import { tcp } from "./frames.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { readFrame } from "./reading.ts";

if (noKernel) console.log(noKernel);

const PORT = 4000;
const NONE = new Uint8Array();

describe.skipIf(noKernel)("a connection of another layout of the maps", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
    node.write({ returnMode: "DSR", services: true });
  });
  beforeEach(() => node.forget());

  const outcomeOf = (step: Step) => meet(node, step).outcomes.join();
  const fromClient = (flags: string, numbers = {}) =>
    arrives({ source: outside.client1, destination: nodes.master }, tcp(PORT, 30082, flags, NONE, numbers), "");
  const numbers = { sequence: 1001, acknowledges: 1001 };
  const older = () => join(node.pins.root, "0123456789ab");
  const entries = () => node.maps.connections.entries();
  const answer = sends("db", { destination: outside.client1 }, tcp(80, PORT, "SA"), "");
  /** What is known from now on is in the maps of an older version only. */
  const becomesOlder = async () => {
    await olderMaps(folder, older());
    const tables = { connections: node.maps.connections.entries(), half_open: node.maps.halfOpen.entries() };
    const write = (more: Partial<Connection>) => {
      for (const [name, entries] of Object.entries(tables)) {
        const map = libbpf().getPinned(join(older(), "maps", name));
        for (const [key, value] of entries)
          expect(libbpf().update(map, encodeOne(tuple, key), olderBytes({ ...value, ...more }), 0n)).toBe(0);
        closeSync(map);
      }
    };
    write({});
    node.forget();
    isUsedNow = () => write({ lastSeen: process.hrtime.bigint() });
  };
  /** The old programs meet a packet of it. */
  let isUsedNow = () => {};
  /** An established connection to a node port, in the maps of an older version only. */
  const establish = async () => {
    for (const step of [fromClient("S"), answer, fromClient("A", numbers)]) meet(node, step);
    expect(entries()).toHaveLength(2);
    await becomesOlder();
  };
  afterEach(() => rmSync(older(), { recursive: true, force: true }));
  const goesOn = () => outcomeOf(fromClient("A", numbers));

  test("is taken over when the programs are switched, and a packet's time is the later one", async () => {
    await establish();
    const before = goesOn();
    node.forget();
    const told = switched(node.pins, node.maps, () => undefined);
    expect(told).toEqual(["2 entries of connections and affinities are taken over from another layout of the maps"]);
    expect([before, goesOn()]).toEqual(["pass_to_stack", "to_endpoint"]);
    expect(node.connectionsOf(PORT)).toEqual(["established", "established"]);
    expect(switched(node.pins, node.maps, () => undefined)).toEqual([]);
  });

  /** Who sends the backend's answer, as the client sees it. */
  const answers = () => {
    const { ip } = readFrame(meet(node, answer).frame);
    return [ip?.source, ip?.ports?.source];
  };

  const isTakingOver = () => (node.maps.settings.lookup(0)?.takingOverUntil ?? 0) > 0;

  test("waits for its packets to be sent again while it is not taken over yet, and is neither reset nor begun anew", async () => {
    await establish();
    const meanwhile: string[] = [];
    switched(node.pins, node.maps, (replaced) => {
      node.forget(); // as if the old programs had opened it just now
      isUsedNow();
      meanwhile.push(goesOn(), outcomeOf(answer));
      expect([entries(), node.maps.halfOpen.entries(), isTakingOver()]).toEqual([[], [], true]);
      replaced();
      meanwhile.push(goesOn());
    });
    expect(meanwhile).toEqual(["drop_unrelated", "drop_unrelated", "to_endpoint"]);
    expect([goesOn(), answers(), isTakingOver()]).toEqual(["to_endpoint", [nodes.master, 30082], false]);
  });

  test("does not come back where a new one has begun from its port while the programs were switched", async () => {
    for (const step of [fromClient("S"), answer, fromClient("A", numbers), fromClient("R", numbers)]) meet(node, step);
    await becomesOlder();
    switched(node.pins, node.maps, () => {
      meet(node, fromClient("S", { sequence: 7000 }));
      expect(node.connectionsOf(PORT)).toContain("half open");
    });
    const own = { sequence: 7001, acknowledges: 1001 };
    meet(node, answer);
    expect(outcomeOf(fromClient("A", own))).toBe("to_endpoint");
    expect(node.connectionsOf(PORT)).toEqual(["established", "established"]);
  });

  test.each([
    ["SYN", ["S"]],
    ["handshake", ["S", "A"]],
  ])(
    "goes on whose %s the old programs met, and whose next answer the new ones, before it was taken over",
    async (_, met) => {
      for (const flags of met) {
        meet(node, fromClient(flags, flags === "A" ? numbers : {}));
        meet(node, answer);
      }
      const expected = answers();
      expect(expected).toEqual([nodes.master, 30082]);
      await becomesOlder();
      expect(answers()).not.toEqual(expected);
      switched(node.pins, node.maps, () => undefined);
      expect(answers()).toEqual(expected);
      expect([goesOn(), answers()]).toEqual(["to_endpoint", expected]);
    },
  );

  test("keeps the secret by which its backend is found again, and that one may have to be", async () => {
    await olderMaps(folder, older());
    const [secret, room] = ["secrets", "room_made"].map((name) => libbpf().getPinned(join(older(), "maps", name)));
    const zero = new Uint8Array(4);
    expect(olderSecret(node.pins, node.maps)).toBeUndefined();
    const words = new Uint8Array(BigUint64Array.of(0x1234n, 0x5678n).buffer);
    expect(libbpf().update(secret as number, zero, words, 0n)).toBe(0);
    expect(olderSecret(node.pins, node.maps)).toEqual({ low: 0x1234n, high: 0x5678n });
    const at = process.hrtime.bigint();
    libbpf().update(room as number, zero, new Uint8Array(BigUint64Array.of(at).buffer), 0n);
    node.madeRoom(0n);
    switched(node.pins, node.maps, () => undefined);
    expect(node.roomMadeAt()).toBe(at);
    for (const fd of [secret, room]) closeSync(fd as number);
  });

  test("is looked for again only as far as it was used since the last look", async () => {
    await establish();
    const now = process.hrtime.bigint();
    const taken = (since: bigint) => takeOver(node.pins, node.maps, since).taken;
    expect([taken(now + 1_000_000_000n), taken(now - 10_000_000_000n), taken(0n)]).toEqual([0, 2, 0]);
    expect(goesOn()).toBe("to_endpoint");
  });

  test("is found by the names of fields, and has a place of its own", async () => {
    await establish();
    switched(node.pins, node.maps, () => undefined);
    const [first, second] = entries();
    const byPlace = new Set([first?.[1].place, second?.[1].place]);
    expect(byPlace.size).toBe(2);
    const reply = entries().find(([, { flags }]) => flags & ConnectionFlag.REPLY);
    expect(reply?.[1]).toMatchObject({
      ...{ address: nodes.master, port: 30082, peerPort: PORT, policyRevision: 0, endsRevision: 0 },
      nextHop: { until: 0n },
    });
    expect(reply?.[1].lastSeen).toBeGreaterThan(0n);
  });
});

/** test/packets/older.bpf.c, pinned as maps of a layout. */
async function olderMaps(scratch: string, layout: string): Promise<void> {
  const object = join(scratch, "older.bpf.o");
  const source = join(import.meta.dirname, "older.bpf.c");
  await run("clang", ["-O2", "-g", "-target", "bpf", ...includes(), "-c", source, "-o", object]);
  mkdirSync(join(layout, "maps"), { recursive: true });
  const program = join(layout, "nothing");
  await run("bpftool", ["prog", "loadall", object, program, "pinmaps", join(layout, "maps")]);
}

/** struct older_connection */
function olderBytes(value: Connection): Uint8Array {
  const view = new DataView(new ArrayBuffer(88));
  view.setUint32(0, value.flags, true);
  view.setUint32(4, 4711, true);
  view.setBigUint64(8, value.lastSeen, true);
  view.setUint32(16, Number(value.packets), true);
  view.setUint16(20, value.port);
  view.setUint16(22, value.peerPort);
  address.encode(value.address, view, 24);
  address.encode(value.node, view, 40);
  view.setUint32(56, value.next, true);
  view.setUint32(60, value.sequence);
  origin.encode(value.origin, view, 64);
  view.setUint32(80, value.backend, true);
  return new Uint8Array(view.buffer);
}
