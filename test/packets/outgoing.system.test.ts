// Which ports of the node stand for a pod that leaves the cluster (bpf/connection/ports.h), when most of them have an owner.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import {
  ConnectionFlag,
  MASQUERADE_PORT_FIRST,
  MASQUERADE_PORTS,
  MASQUERADE_PORTS_OF_CLIENT,
} from "../../agent/kernel/layout.gen.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { answers } from "./cases/external.ts";
import { later, meet, sends } from "./cases/step.ts";
import { nodes, outside } from "./cluster.ts";
import { tcp, udp } from "./frames.ts";
import { NodeUnderTest, SMALL } from "./node.ts";
import { preparedObjects } from "./objects.ts";

if (noKernel) console.log(noKernel);

const SECOND = 1_000_000_000n;
const GETS_ONE = "forward_external";
const NONE_LEFT = "drop_ports_exhausted";
const all = Array.from({ length: MASQUERADE_PORTS }, (_, index) => MASQUERADE_PORT_FIRST + index);

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
  type Entry = ReturnType<typeof answered>[number][1];
  /** Others have these ports, with the state of the only connection, changed. */
  const take = (ports: readonly number[], change: (entry: Entry) => Partial<Entry> = () => ({})) => {
    const [key, entry] = answered()[0] as ReturnType<typeof answered>[number];
    const others = { ...entry, ...change(entry), peerPort: 1 };
    node.maps.connections.update(ports.map((destinationPort) => [{ ...key, destinationPort }, others]));
  };

  test("a client has half of them, to one port of a host", () => {
    const ports = portsOf(200).sort((one, other) => one - other);
    expect(new Set(ports).size).toBe(200);
    expect(ports.filter((port) => !all.includes(port))).toEqual([]);
    // The range is a ring: the longest way between two neighbours is what the client does not use.
    const ways = ports.map((port, index) => (ports[index + 1] ?? (ports[0] as number) + MASQUERADE_PORTS) - port);
    expect(MASQUERADE_PORTS - Math.max(...ways)).toBeLessThan(MASQUERADE_PORTS_OF_CLIENT);
  });

  test("where all have an owner, a new flow is dropped and counted; to another port of the host it is not", () => {
    expect(outcome(asks(6201))).toBe(GETS_ONE);
    take(all);
    expect([asks(6202), asks(6201), asks(6203, 81)].map(outcome)).toEqual([NONE_LEFT, GETS_ONE, GETS_ONE]);
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
