// Which ports of the node stand for a pod that leaves the cluster (bpf/connection/ports.h), when most of them have an owner.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import {
  ConnectionFlag,
  MASQUERADE_PORT_FIRST,
  MASQUERADE_PORTS,
  MASQUERADE_PORTS_KEPT,
  MASQUERADE_PORTS_OF_CLIENT,
  MASQUERADE_PORTS_SHARED,
} from "../../agent/kernel/layout.gen.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { answers } from "./cases/external.ts";
import { addresses, later, meet, sends } from "./cases/step.ts";
import { nodes, outside } from "./cluster.ts";
import { tcp, udp } from "./frames.ts";
import { NodeUnderTest, SMALL } from "./node.ts";
import { preparedObjects } from "./objects.ts";

if (noKernel) console.log(noKernel);

const SECOND = 1_000_000_000n;
const GETS_ONE = "forward_external";
const NONE_LEFT = "drop_ports_exhausted";
const all = Array.from({ length: MASQUERADE_PORTS }, (_, index) => MASQUERADE_PORT_FIRST + index);
const [shared, kept] = [all.slice(0, MASQUERADE_PORTS_SHARED), all.slice(MASQUERADE_PORTS_SHARED)];
/** Those of `open`, by the last byte of its address. */
const keptForOpen = kept
  .slice(MASQUERADE_PORTS_KEPT * Number((addresses.open as string).split(".").at(-1)))
  .slice(0, MASQUERADE_PORTS_KEPT);

describe.skipIf(noKernel)("ports that stand for pods outside the cluster", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    const sizes = { ...SMALL, connections: 32_768, frontends: 32_768 };
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder, sizes });
    node.write({ returnMode: "DSR", services: true });
  });
  beforeEach(() => {
    node.forget();
    node.counters.since();
  });

  const asks = (from: number, to = 80) => sends("open", { destination: outside.remote }, udp(from, to), "");
  const connects = (from: number) => sends("open", { destination: outside.remote }, tcp(from, 80, "S"), "");
  const outcome = (step: ReturnType<typeof asks>) => meet(node, step).outcomes.join();
  /** The entries of answers from outside. */
  const answered = () =>
    node.maps.halfOpen
      .entries()
      .filter(([{ source, destination }]) => source === outside.remote && destination === nodes.master);
  const portsOf = (flows: number) => {
    for (let from = 1; from <= flows; from++) expect(outcome(asks(6200 + from))).toBe(GETS_ONE);
    return answered().map(([{ destinationPort }]) => destinationPort);
  };
  const connected = (flows: number) => {
    const before = new Set(answered().map(([{ destinationPort }]) => destinationPort));
    for (let from = 1; from <= flows; from++) outcome(connects(6300 + from));
    return answered().flatMap(([{ destinationPort }]) => (before.has(destinationPort) ? [] : destinationPort));
  };
  type Pair = ReturnType<typeof answered>[number];
  type Entry = Pair[1];
  /** Seen last an hour from now: no connection of a test becomes older than others may be. */
  const fresh = ({ lastSeen }: Entry) => ({ lastSeen: lastSeen + 3600n * SECOND });
  /** Others have these ports, with the state of the only connection, changed. */
  const take = (ports: readonly number[], change: (entry: Entry) => Partial<Entry> = fresh) => {
    const [key, entry] = answered()[0] as ReturnType<typeof answered>[number];
    const others = { ...entry, ...change(entry), peerPort: 1 };
    node.maps.connections.update(ports.map((destinationPort) => [{ ...key, destinationPort }, others]));
  };

  test("a client has half of those that are shared, to one port of a host", () => {
    const ports = portsOf(200).sort((one, other) => one - other);
    expect(new Set(ports).size).toBe(200);
    expect(ports.filter((port) => !shared.includes(port))).toEqual([]);
    // The range is a ring: the longest way between two neighbours is what the client does not use.
    const ways = ports.map(
      (port, index) => (ports[index + 1] ?? (ports[0] as number) + MASQUERADE_PORTS_SHARED) - port,
    );
    expect(MASQUERADE_PORTS_SHARED - Math.max(...ways)).toBeLessThan(MASQUERADE_PORTS_OF_CLIENT);
  });

  test("where all have an owner, a new flow is dropped and counted; to another port of the host it is not", () => {
    expect(outcome(asks(6201))).toBe(GETS_ONE);
    take(all);
    expect([asks(6202), asks(6201), asks(6203, 81)].map(outcome)).toEqual([NONE_LEFT, GETS_ONE, GETS_ONE]);
  });

  test("where other clients have all that they may have, a connection gets a port that is kept for its client", () => {
    expect(outcome(connects(6201))).toBe(GETS_ONE);
    take(all.filter((port) => !keptForOpen.includes(port)));
    expect(connected(40).filter((port) => !keptForOpen.includes(port))).toEqual([]);
    // By chance one of 16 may be missed: of 8 tries the last ones may all be of the 15 others.
    expect(answered().length - 1).toBeGreaterThan(MASQUERADE_PORTS_KEPT / 2);
    expect(answered().length - 1).toBeLessThanOrEqual(MASQUERADE_PORTS_KEPT);
  });

  test("a datagram gets no port that could be guessed, but that of a question that nobody asks any more", () => {
    const since = (seconds: bigint, packets: bigint) =>
      take(all, ({ lastSeen }) => ({ lastSeen: lastSeen - seconds * SECOND, packets }));
    expect(outcome(asks(6201))).toBe(GETS_ONE);
    take(all.filter((port) => !keptForOpen.includes(port)));
    expect(outcome(asks(6202))).toBe(NONE_LEFT);
    since(-3600n, 1n);
    expect(outcome(asks(6203))).toBe(NONE_LEFT);
    since(7n, 2n);
    expect(outcome(asks(6204))).toBe(NONE_LEFT);
    since(7n, 1n);
    expect(outcome(asks(6205))).toBe(GETS_ONE);
    expect(outcome(answers((port) => udp(80, port), ""))).toBe("to_endpoint");
  });

  test("nor that of a flow that is sent and not answered", () => {
    expect(outcome(asks(6201))).toBe(GETS_ONE);
    const { halfOpen } = node.maps;
    const [key, sent] = halfOpen.entries().find(([{ destination }]) => destination === outside.remote) as never as Pair;
    take(all, ({ lastSeen }) => ({ lastSeen: lastSeen - 70n * SECOND, packets: 0n }));
    // The other direction of all of them is this one (`take` gives each the same client).
    halfOpen.update([
      [
        { ...key, sourcePort: 1 },
        { ...sent, packets: 2n },
      ],
    ]);
    expect(outcome(asks(6202))).toBe(NONE_LEFT);
    halfOpen.update([
      [
        { ...key, sourcePort: 1 },
        { ...sent, packets: 1n, lastSeen: sent.lastSeen - 7n * SECOND },
      ],
    ]);
    expect(outcome(asks(6202))).toBe(GETS_ONE);
  });

  test("a closed TCP connection keeps its port for 60 s, an open one for longer", () => {
    const since = (seconds: bigint, flags: number) =>
      take(all, ({ lastSeen }) => ({ lastSeen: lastSeen - seconds * SECOND, flags }));
    expect(outcome(connects(6201))).toBe(GETS_ONE);
    const open = (answered()[0]?.[1].flags ?? 0) & ~ConnectionFlag.SYN;
    const closed = open | ConnectionFlag.CLOSED;
    since(61n, open);
    expect(outcome(connects(6202))).toBe(NONE_LEFT);
    since(20n, closed);
    expect(outcome(connects(6202))).toBe(NONE_LEFT);
    since(61n, closed);
    expect(outcome(connects(6202))).toBe(GETS_ONE);
  });

  test("none that a service has", () => {
    const { frontends } = node.maps;
    const [key, service] = frontends.entries()[0] as ReturnType<typeof frontends.entries>[number];
    const others = all.map((port) => ({ ...key, address: nodes.master, port, protocol: 17 }));
    frontends.update(others.map((other) => [other, service]));
    expect(outcome(asks(6201))).toBe(NONE_LEFT);
    frontends.delete(others);
    expect(outcome(asks(6201))).toBe(GETS_ONE);
  });

  // Of 12288 ports 8 are tried: with 64 of them free, 1500 flows miss them with a probability below 10^-20.
  test("none that a socket of the node has", async () => {
    const free = portsOf(64);
    take(all.filter((port) => !free.includes(port)));
    node.maps.halfOpen.delete(node.maps.halfOpen.entries().map(([key]) => key));
    const got = () => {
      for (let from = 1; from <= 1500; from++) node.run((asks(10_000 + from).frame as Frame)(node, "IPv4"), OPEN);
      return answered().length;
    };
    const sockets = await Promise.all(free.map(bound));
    expect(got()).toBe(0);
    for (const socket of sockets) socket.close();
    expect(got()).toBeGreaterThan(0);
  });

  test("a flow whose answers have lost their entry gets another one", () => {
    expect(outcome(asks(6201))).toBe(GETS_ONE);
    node.maps.halfOpen.delete(answered().map(([key]) => key));
    expect(outcome(later(asks(6201)))).toBe(GETS_ONE);
    expect(outcome(answers((port) => udp(80, port), ""))).toBe("to_endpoint");
  });
});

const OPEN = { program: "from_workload", at: "open" } as const;
type Frame = (node: NodeUnderTest, family: "IPv4") => Uint8Array;

async function bound(port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port);
  await once(socket, "listening");
  return socket;
}
