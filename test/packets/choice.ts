// Which backend a connection gets (bpf/service/secret_hash.h), and that an entry node which has forgotten a connection finds it again. Part of
// full-tables.system.test.ts, whose node has few places.
import { beforeAll, describe, expect, test } from "vitest";
import type { Family } from "../../model/address/address.ts";
import { arrives, arrivesWrapped, type Ends, meet, type Step, sends } from "./cases/step.ts";
import { backendAddress, nodes, outside } from "./cluster.ts";
import { type Transport, tcp, udp } from "./frames.ts";
import type { NodeUnderTest } from "./node.ts";
import { inFamily } from "./twins.ts";
import { inWords } from "./words.ts";

const { client1, remote } = outside;
/** Node ports: of a service with a backend here and two elsewhere, of one with affinity (here and elsewhere). */
const [WEB, STICKY] = [30080, 30085];
const SECOND = 1_000_000_000n;
const ports = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

/** @param unproven places for what the node forwards */
export function describeChoice(theNode: () => NodeUnderTest, unproven: number): void {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = theNode();
  });

  const words = (step: Step, family?: Family) =>
    inWords(meet(node, step, family), step.program, (id) => node.maps.backends.lookup(id)?.address);
  const comes = (transport: Transport, ends: Partial<Ends> = {}, family?: Family) =>
    words(arrives({ source: client1, destination: nodes.master, by: client1, ...ends }, transport, ""), family);
  /** The address of the backend; none: the whole words. */
  const chosen = (transport: Transport, ends: Partial<Ends> = {}, family?: Family) => {
    const line = comes(transport, ends, family);
    return /backend ([^\s)]+)\)/.exec(line)?.[1] ?? /^to_endpoint.* > \[?([^\]\s]+?)\]?:\d+$/.exec(line)?.[1] ?? line;
  };
  const begins = (port: number) => chosen(tcp(port, WEB, "S"));
  const byBackend = (all: readonly string[]) => {
    const counts: Record<string, number> = {};
    for (const one of all) counts[one] = (counts[one] ?? 0) + 1;
    return counts;
  };
  /** What anybody can send, more than the table of forwarded connections holds. */
  const flood = () => {
    for (const port of ports(20_000, 4 * unproven))
      for (const marks of ["S", "A", "A"]) comes(tcp(port, WEB, marks), { source: remote });
  };
  const entries = () => node.maps.connections.entries().filter(([{ source }]) => source === client1);
  const age = (seconds: bigint) =>
    node.maps.connections.update(
      entries().map(([key, entry]) => [key, { ...entry, lastSeen: entry.lastSeen - seconds * SECOND }]),
    );

  test("is each of the list equally often", () => {
    const counts = byBackend(ports(5000, 900).map(begins));
    expect(Object.keys(counts).sort()).toEqual(["web", "web2", "web3"].map(backendAddress).sort());
    // Of 300 at most five standard deviations: chance exceeds that once in a million runs.
    for (const count of Object.values(counts)) expect(Math.abs(count - 300)).toBeLessThan(72);
  });

  test("is the same when the node has forgotten it, and depends on each of its ends", () => {
    const before = ports(5000, 60).map(begins);
    node.forget();
    expect(ports(5000, 60).map(begins)).toEqual(before);
    node.forget();
    const others = [
      ports(6000, 60).map(begins),
      ports(5000, 60).map((port) => chosen(tcp(port, WEB, "S"), { source: remote })),
      ports(5000, 60).map((port) => chosen(tcp(port, WEB, "S"), { destination: nodes.far })),
    ];
    for (const other of others) expect(other).not.toEqual(before);
  });

  test("of a client that tries again from the same port is any, of a SYN that is repeated the same", () => {
    const trial = (sequence: number) => chosen(tcp(5000, WEB, "S", undefined, { sequence }));
    expect(new Set(ports(1, 60).map(() => trial(1))).size).toBe(1);
    // Of three backends, one is not among 60 that are drawn once in ten thousand million runs.
    expect(new Set(ports(2, 60).map(trial)).size).toBe(3);
  });

  test("is another one with another secret", () => {
    const before = ports(5000, 60).map(begins);
    const [secret] = node.maps.secrets.entries().map(([, value]) => value);
    node.maps.secrets.update([[0, { low: 1n, high: 2n }]]);
    node.forget();
    expect(ports(5000, 60).map(begins)).not.toEqual(before);
    if (secret) node.maps.secrets.update([[0, secret]]);
  });

  describe("of which the entry node has forgotten everything", () => {
    const web2 = backendAddress("web2");
    const web3 = backendAddress("web3");
    /** Connections to backends elsewhere, established and idle for longer than all others. */
    const idle = () => {
      const port = ports(5000, 200).filter((one) => begins(one) !== backendAddress("web"));
      const few = port.slice(0, unproven / 2).map((one) => [one, begins(one)] as const);
      for (const [one] of few) for (const marks of ["A", "A"]) comes(tcp(one, WEB, marks));
      expect(entries().length).toBe(few.length);
      age(50_000n);
      return few;
    };

    test("is found again for its next packet, once forged ones have taken its place", () => {
      const connections = idle();
      flood();
      expect(entries()).toEqual([]);
      expect(connections.map(([port]) => [port, chosen(tcp(port, WEB, "PA"))])).toEqual(connections);
    });

    test("is not looked for where the table has made no room lately: the packet is refused here", () => {
      const connections = idle();
      for (const at of [0n, node.maps.connections.entries()[0]?.[1].lastSeen ?? 0n]) {
        node.forget();
        node.madeRoom(at && at - 86_400n * SECOND);
        for (const [port] of connections) expect(chosen(tcp(port, WEB, "A"))).toMatch(/^pass_to_stack/);
      }
    });

    test("is looked for by no SYN-ACK, no pod's packet and no wrapped one; one here is no other than the node knows", () => {
      idle();
      flood();
      expect(chosen(tcp(5999, WEB, "SA"))).toMatch(/^pass_to_stack/);
      expect(words(sends("web", { destination: nodes.far }, tcp(5999, WEB, "A"), ""))).not.toMatch(/^forward_service/);
      const wrapped = { source: nodes.far, destination: nodes.node };
      expect(words(arrivesWrapped({ kind: "overlay", node: nodes.far }, wrapped, tcp(5999, WEB, "A"), ""))).toMatch(
        /^(drop|pass_to_stack)/,
      );
      const acks = byBackend(ports(7000, 60).map((port) => comes(tcp(port, WEB, "A")).split(/[ :]/)[0] ?? ""));
      expect(Object.keys(acks).sort()).toEqual(["forward_service", "reject_gone"]);
    });

    test("knows alone whether there is such a connection: its node refuses what was forged", () => {
      for (const kind of ["forward via", "forward direct"] as const)
        expect(
          words(
            arrivesWrapped({ kind, for: "web" }, { source: client1, destination: nodes.node }, tcp(7100, WEB, "A"), ""),
          ),
        ).toMatch(/^reject_gone/);
    });

    test("gets no place for one packet", () => {
      idle();
      flood();
      const port = ports(7000, 60).find((one) => [web2, web3].includes(chosen(tcp(one, WEB, "A")))) ?? 0;
      expect(node.connectionsOf(port)).toEqual(["half open"]);
    });
  });

  describe.each(["IPv4", "IPv6"] as const)("with session affinity, in %s", (family) => {
    const asks = (port: number, client: string) => chosen(udp(port, STICKY), { source: client }, family);
    const backend = (name: string) => inFamily(backendAddress(name), family);
    const clients = ports(1, 120).map((last) => `203.0.113.${last}`);

    test("is one for all connections of a client, and each equally often for many clients", () => {
      const first = clients.map((client) => asks(5000, client));
      expect(clients.map((client) => asks(5001, client))).toEqual(first);
      const counts = byBackend(first);
      expect(Object.keys(counts).sort()).toEqual(["web", "web2"].map(backend).sort());
      for (const count of Object.values(counts)) expect(Math.abs(count - 60)).toBeLessThan(28);
    });

    test("is the one that it was given before, until its time is over", () => {
      const first = clients.map((client) => asks(5000, client));
      const { affinities, backends } = node.maps;
      const idOf = (name: string) =>
        backends.entries().find(([, { address, protocol }]) => address === backend(name) && protocol === 17)?.[0] ?? 0;
      const ids = [idOf("web"), idOf("web2")];
      /** As if the list had been another one then. */
      const given = affinities
        .entries()
        .map(([key, value]) => [key, { ...value, backend: ids.find((id) => id !== value.backend) ?? 0 }] as const);
      affinities.update(given);
      const other = clients.map((client) => asks(5001, client));
      expect(other.filter((one, index) => one === first[index])).toEqual([]);
      affinities.update(given.map(([key, value]) => [key, { ...value, lastUsed: value.lastUsed - 10_801n * SECOND }]));
      const then = clients.map((client) => asks(5002, client));
      // Each has another chance: it is neither the one before nor the one that the client alone would choose.
      for (const before of [first, other])
        expect(Math.abs(then.filter((one, index) => one === before[index]).length - 60)).toBeLessThan(28);
      expect(clients.map((client) => asks(5003, client))).toEqual(then);
    });

    test("is the same for a client that the node has forgotten, by whatever frontend it comes", () => {
      const first = clients.map((client) => asks(5000, client));
      node.forget();
      const again = clients.map((client) =>
        chosen(udp(5002, 80), { source: client, destination: "10.96.0.15" }, family),
      );
      expect(again).toEqual(first);
    });
  });
}
