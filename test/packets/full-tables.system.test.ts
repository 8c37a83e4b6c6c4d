// When the table of established connections is full (bpf/connection/place.h): new connections are refused and counted, old ones live, and
// a sender with forged addresses takes no place from a connection that only its two ends can have established.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { liveConnections } from "../../agent/kernel/live-connections.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import type { MapSizes } from "../../model/mode/map-sizes.ts";
import { finish } from "../../model/steps.ts";
import { arrives, leaves, meet, type Step, sends } from "./cases/step.ts";
import { describeChoice } from "./choice.ts";
import { backendAddress, nodes, outside } from "./cluster.ts";
import { tcp, udp } from "./frames.ts";
import { failsafe } from "./hosts.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";

if (noKernel) console.log(noKernel);

const { client1, client2, remote } = outside;
const open = backendAddress("open");
const NONE = new Uint8Array();
/** Places; each connection that is seen in both directions takes two. */
const PROVEN = 8;
const UNPROVEN = 8;
const OF_THE_NODE: MapSizes = {
  ...{ proven: PROVEN, unproven: UNPROVEN, affinities: 1024 },
  ...{ frontends: 4096, backends: 4096, slots: 65_536, members: 16_384 }, // Maglev tables of both families
};
const ENOUGH = 40;
/** The node port of a service whose backend is on another node. */
const REMOTE_PORT = 30089;
const SECOND = 1_000_000_000n;

describe.skipIf(noKernel)("a full table of connections", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({
      ...(await preparedObjects(folder)),
      ...{ bpffs: bpf, scratch: folder, sizes: OF_THE_NODE },
    });
    node.write({ returnMode: "DSR", services: true });
  });
  beforeEach(() => node.forget());

  const outcomeOf = (step: Step) => meet(node, step).outcomes.join();
  const toPod = (port: number, marks: string, numbers = {}) =>
    outcomeOf(arrives({ source: client2, destination: open }, tcp(port, 80, marks, NONE, numbers), ""));
  const acknowledges = (port: number) => toPod(port, "A", { sequence: 1001, acknowledges: 1001 });
  /** A whole handshake. @returns what became of its last packet */
  const connects = (port: number) => {
    toPod(port, "S");
    outcomeOf(sends("open", { destination: client2 }, tcp(80, port, "SA"), ""));
    return acknowledges(port);
  };
  /** Like a client whose packets are lost. */
  const connectsAtLast = (port: number) => {
    let last = connects(port);
    for (let again = 0; again < ENOUGH && last !== "to_endpoint"; again++) last = acknowledges(port);
    return last;
  };
  /** As many as there is room for. */
  const fill = () => {
    const ports = Array.from({ length: PROVEN / 2 }, (_, index) => 5000 + index);
    expect(ports.map(connectsAtLast)).toEqual(ports.map(() => "to_endpoint"));
    return ports;
  };
  const states = (ports: readonly number[]) => ports.map((port) => node.connectionsOf(port).join());
  const all = (ports: readonly number[], state: string) => ports.map(() => `${state},${state}`);
  const age = (seconds: bigint, ports: readonly number[]) =>
    node.maps.connections.update(
      node.maps.connections
        .entries()
        .filter(([{ sourcePort, destinationPort }]) => ports.includes(sourcePort) || ports.includes(destinationPort))
        .map(([key, entry]) => [key, { ...entry, lastSeen: entry.lastSeen - seconds * SECOND }]),
    );
  const forwarded = (source: string, port: number, marks: string) =>
    expect(
      outcomeOf(arrives({ source, destination: nodes.master, by: client1 }, tcp(port, REMOTE_PORT, marks), "")),
    ).toBe("forward_service");
  /** What a sender with a forged address can do: it needs no answer. */
  const begins = (source: string, port: number) => {
    for (const marks of ["S", "A", "A"]) forwarded(source, port, marks);
  };
  const forwardedPorts = () =>
    node.maps.connections
      .entries()
      .filter(([{ destinationPort }]) => destinationPort === REMOTE_PORT)
      .map(([{ sourcePort }]) => sourcePort);

  test("refuses what is new, counts it, and keeps what is old", () => {
    const old = fill();
    age(86_000n, old); // of nearly a day: the idlest do not make room either
    expect(connects(6000)).toBe("drop_connection_table_full");
    expect(states(old)).toEqual(all(old, "established"));
    expect(old.map(acknowledges)).toEqual(old.map(() => "to_endpoint"));
    expect(states([6000])).toEqual(all([6000], "half open"));
  });

  test("takes the refused one in once there is room: its ends have only to go on", () => {
    const old = fill();
    expect(connects(6000)).toBe("drop_connection_table_full");
    age(90_000n, old.slice(0, 1)); // more than a day
    expect(connectsAtLast(6000)).toBe("to_endpoint");
    expect(states([6000])).toEqual(all([6000], "established"));
  });

  test("gives the places of what has ended to what is new", () => {
    const [first = 0, ...old] = fill();
    toPod(first, "R", { sequence: 1001 });
    expect(connectsAtLast(6000)).toBe("to_endpoint");
    expect(states([6000, ...old])).toEqual(all([6000, ...old], "established"));
  });

  test("has as many places as before after thousands of connections", () => {
    for (let round = 0; round < 300; round++) {
      connectsAtLast(7000 + round);
      toPod(7000 + round, "R", { sequence: 1001 });
      if (round % 3 === 0) connects(7000 + round); // with the ports of one that has ended
      if (round % 3 === 0) toPod(7000 + round, "R", { sequence: 1001 });
    }
    expect(node.maps.connections.entries().length).toBeLessThanOrEqual(PROVEN);
    node.forget();
    fill();
  });

  test("senders with forged addresses take no place of connections whose ends are known to want them", () => {
    const old = fill();
    age(86_000n, old);
    for (let port = 10_000; port < 10_000 + ENOUGH; port++) begins(remote, port);
    for (let port = 20_000; port < 20_000 + ENOUGH; port++) {
      const asks = arrives({ source: remote, destination: open, by: client1 }, udp(port, 80), "");
      outcomeOf(asks);
      outcomeOf(sends("open", { destination: remote }, udp(80, port), ""));
      for (let i = 0; i < 2; i++) expect(outcomeOf(asks)).toBe("to_endpoint"); // they refuse nobody
    }
    expect(node.maps.connections.entries().length).toBe(PROVEN + UNPROVEN);
    expect(states(old)).toEqual(all(old, "established"));
    expect(old.map(acknowledges)).toEqual(old.map(() => "to_endpoint"));
  });

  test("nor do they leave no place for new ones", () => {
    for (let port = 10_000; port < 10_000 + ENOUGH; port++) begins(remote, port);
    expect(forwardedPorts().length).toBe(UNPROVEN);
    fill();
  });

  test("at an entry node, the idlest make room", () => {
    const ports = Array.from({ length: ENOUGH }, (_, index) => 8000 + index);
    for (const port of ports) begins(client1, port);
    const [first = 0, second = 0, ...idle] = forwardedPorts();
    age(50_000n, idle);
    for (const port of [9000, 9001]) {
      for (const used of [first, second]) forwarded(client1, used, "A");
      begins(client1, port);
    }
    expect(forwardedPorts()).toEqual(expect.arrayContaining([first, second]));
    expect(forwardedPorts().length).toBe(UNPROVEN);
  });

  test("what a sender behind the node's stack asked a client from the service's port takes over no flow that made room", () => {
    const client = () => outcomeOf(arrives({ source: client1, destination: nodes.master }, udp(55, 30085), ""));
    const stack = () => outcomeOf(leaves({ source: nodes.master, destination: client1 }, udp(30085, 55), ""));
    const began = client();
    expect(began).toMatch(/^(forward_service|to_endpoint)$/);
    expect(stack()).toBe("pass_to_stack");
    node.maps.halfOpen.delete(node.maps.halfOpen.entries().map(([key]) => key));
    expect(client()).toMatch(/^(forward_service|to_endpoint)$/);
    // Without the client's flow it is the answer to what the stack asked.
    node.forget();
    expect([stack(), client()]).toEqual(["pass_to_stack", "pass_to_stack"]);
  });

  describe("keeps no connection of the node itself out", () => {
    const node1 = nodes.master;
    const comes = (port: number, to: number, marks: string, numbers = {}) =>
      outcomeOf(arrives({ source: client2, destination: node1 }, tcp(port, to, marks, NONE, numbers), ""));
    const goes = (from: number, port: number, marks: string, numbers = {}) =>
      outcomeOf(leaves({ source: node1, destination: client2 }, tcp(from, port, marks, NONE, numbers), ""));
    const numbers = { sequence: 1001, acknowledges: 1001 };
    /** A whole handshake, and a packet in each direction. */
    const talks = (port: number, to: number) => [
      comes(port, to, "S"),
      goes(to, port, "SA"),
      comes(port, to, "A", numbers),
      goes(to, port, "A", numbers),
      comes(port, to, "A", numbers),
    ];
    const passed = Array.from({ length: 5 }, () => "pass_to_stack");
    afterEach(() => node.writeHosts({}));

    test("neither by a fail-safe port nor by one that a policy opens; what policies refuse stays refused", () => {
      const failsafes = [failsafe("INGRESS", "tcp", 22)];
      node.writeHosts({ uplink: { ingress: ["tcp 8080"], egress: [] }, failsafes });
      const old = fill();
      expect(talks(6100, 22)).toEqual(passed);
      expect(talks(6101, 8080)).toEqual(passed);
      expect(states([6100, 6101])).toEqual(all([6100, 6101], "half open"));
      expect(comes(6102, 8081, "S")).toBe("drop_policy_ingress");
      expect(connects(6000)).toBe("drop_connection_table_full");
      expect(states(old)).toEqual(all(old, "established"));
      node.writeHosts({ uplink: { ingress: [], egress: [] }, failsafes });
      expect(comes(6101, 8080, "A", numbers)).toBe("drop_policy_ingress");
      expect(comes(6100, 22, "A", numbers)).toBe("pass_to_stack");
    });

    test("nor one that is older than the policies", () => {
      node.writeHosts({ uplink: { ingress: [], egress: ["tcp 443"] } });
      fill();
      for (let packet = 0; packet < 3; packet++) {
        expect(goes(6200, 443, "A", numbers)).toBe("pass_to_stack");
        expect(comes(443, 6200, "A", numbers)).toBe("pass_to_stack");
      }
    });

    test("and gives it a place once there is room", () => {
      node.writeHosts({ uplink: { ingress: [], egress: [] }, failsafes: [failsafe("INGRESS", "tcp", 22)] });
      const old = fill();
      expect(talks(6300, 22)).toEqual(passed);
      age(90_000n, old);
      comes(6300, 22, "A", numbers);
      expect(states([6300])).toEqual(all([6300], "established"));
    });
  });

  test("is counted by what lives in it", () => {
    const count = () => finish(liveConnections(node.pins, () => process.hrtime.bigint()));
    expect(count()).toEqual({ proven: 0, unproven: 0, halfOpen: 0 });
    const old = fill();
    toPod(6000, "S");
    for (const port of [8000, 8001, 8002]) begins(client1, port);
    expect(count()).toEqual({ proven: PROVEN, unproven: 3, halfOpen: 2 });
    age(90_000n, [...old.slice(0, 1), 8000]);
    expect(count()).toEqual({ proven: PROVEN - 2, unproven: 2, halfOpen: 2 });
  });

  describe("the backend of a connection", () => describeChoice(() => node, UNPROVEN));

  /** Loading costs seconds, so one test follows the table through two sizes. It is the last: nothing makes it what it was. */
  test("that gets another size keeps its connections, and has as many places as it says then", () => {
    const handling = { returnMode: "DSR", services: true } as const;
    const old = fill();
    begins(client1, 8000);
    const larger = { proven: 2 * PROVEN, unproven: 2 * UNPROVEN, affinities: 2048 };
    const others = { frontends: 8192, backends: 8192, slots: 32_768, members: 32_768 };
    const said = node.resize({ ...larger, ...others }, handling, () => {
      begins(client1, 8001);
      expect(connectsAtLast(6000)).toBe("drop_connection_table_full"); // the old one is in use
    });
    expect(said).toEqual(["7 maps have another size now"]);
    expect(old.map(acknowledges)).toEqual(old.map(() => "to_endpoint"));
    for (const port of [8000, 8001]) forwarded(client1, port, "A");
    const more = Array.from({ length: PROVEN / 2 }, (_, index) => 5100 + index);
    expect(more.map(connectsAtLast)).toEqual(more.map(() => "to_endpoint"));
    expect(connects(6001)).toBe("drop_connection_table_full");
    expect(states([...old, ...more])).toEqual(all([...old, ...more], "established"));

    // Smaller than what lives: what was used last stays, also what the old programs take in when the new table is full.
    const [idle, late, used] = [old.slice(0, 2), more.slice(-1), [...old.slice(2), ...more.slice(0, -1)]];
    age(1000n, idle);
    age(500n, late);
    age(1000n, [8000]);
    node.madeRoom(0n);
    const smaller = { ...larger, ...others, proven: 2 * (used.length + 1), unproven: 1 };
    const told = node.resize(smaller, handling, () => expect(connectsAtLast(6003)).toBe("to_endpoint"));
    expect(told).toContainEqual(expect.stringMatching(/^7 entries of connections/));
    // Of a forwarded one that has lost its place the backend is looked for.
    expect(forwardedPorts()).toEqual([8001]);
    forwarded(client1, 8000, "A");
    used.push(6003);
    expect(states(used)).toEqual(all(used, "established"));
    expect(acknowledges(6003)).toBe("to_endpoint");
    expect(states([...idle, ...late])).toEqual(["", "", ""]);
    expect(connects(6002)).toBe("drop_connection_table_full");
    for (let port = 7000; port < 7100; port++) {
      toPod(port === 7000 ? (used[0] ?? 0) : port - 1, "R", { sequence: 1001 });
      expect(connectsAtLast(port)).toBe("to_endpoint");
    }
    expect(states(used.slice(1))).toEqual(all(used.slice(1), "established"));
  });
});
