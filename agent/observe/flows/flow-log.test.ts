import { expect, test } from "vitest";
import { hostsOf } from "../../../model/flow/host-stages.fixture.ts";
import type { FlowLogLine } from "../../../model/flow/record.ts";
import { flowLogLine } from "../../../model/flow/record.ts";
import type { FlowLogSettings } from "../../../model/flow/settings.ts";
import { pod } from "../../../model/objects/core.ts";
import { schemas } from "../../../model/objects/schemas.ts";
import {
  type Connection,
  ConnectionFlag,
  connection,
  type Event,
  EventKind,
  event,
  Outcome,
  type Tuple,
} from "../../kernel/layout.gen.ts";
import { Ends } from "./ends.ts";
import { FlowLog } from "./flow-log.ts";
import { flowOfPacket } from "./live-connections.ts";
import type { Staging } from "./staged.ts";

const blank = <T>(codec: { size: number; decode: (view: DataView, at: number) => T }): T =>
  codec.decode(new DataView(new ArrayBuffer(codec.size)), 0);

const WEB = "10.244.0.5";
const PG = "10.244.1.9";

const tuple = (source: string, sourcePort: number, destination: string, destinationPort: number): Tuple => ({
  ...{ source, destination, sourcePort, destinationPort, protocol: 6 },
});
const openedEvent = (packet: Tuple, rest: Partial<Event> = {}): Event => ({
  ...blank(event),
  ...{ kind: EventKind.OPENED, packet, address: packet.destination, port: packet.destinationPort, ...rest },
});
const refusedEvent = (packet: Tuple, outcome: Outcome): Event => ({
  ...blank(event),
  ...{ kind: EventKind.REFUSED, packet, outcome },
});

const HOST = { addresses: ["172.31.1.8"], labels: { role: "db" }, uplinks: [] };

/** A flow log with everything around it in memory. */
function kept(staging?: Staging) {
  const podAt = (name: string, namespace: string, ip: string, nodeName: string) =>
    pod.parse({ metadata: { name, namespace }, spec: { nodeName, containers: [] }, status: { podIPs: [{ ip }] } });
  const objects = {
    ...{ nodes: [], services: [], namespaces: [], serviceAccounts: [] },
    pods: [podAt("web", "shop", WEB, "master"), podAt("pg", "db", PG, "node")],
  };
  const state = {
    settings: undefined as FlowLogSettings | undefined,
    send: undefined as ((event: Event) => void) | undefined,
    text: "",
    failure: undefined as string | undefined,
    said: [] as string[],
    suppressed: 0n,
    connections: new Map<string, [Tuple, Connection]>(),
  };
  const table = {
    read: () => state.connections.values(),
    lookup: (key: Tuple) => state.connections.get(JSON.stringify(key))?.[1],
  };
  const tables = { connections: table, halfOpen: { read: () => [], lookup: () => undefined } };
  const say = (message: unknown) => void state.said.push(String(message));
  const log = new FlowLog({
    node: "master",
    host: () => HOST,
    settings: () => state.settings,
    ends: new Ends(() => objects),
    names: {
      service: (address, port) => (address === "10.96.0.10" ? `db/pg:${port}` : undefined),
      rule: (policy, direction, rule) => `rule ${rule} of ${policy}, direction ${direction}`,
    },
    flowOf: (packet) => flowOfPacket(tables, packet),
    pools: () => ["10.244.0.0/16"],
    staging: () => staging,
    feed: {
      listen: (receive) => {
        state.send = receive;
        return () => {
          state.send = undefined;
        };
      },
    },
    tables,
    reports: () => new Map([["opened", { sent: 0n, suppressed: state.suppressed, lost: 0n }]]),
    files: {
      append: async (text) => {
        if (state.failure) throw new Error(state.failure);
        state.text += text;
      },
    },
    wallClock: () => Date.parse("2026-11-28T12:00:00Z"),
    log: { info: say, warn: say, error: say },
  });
  const lines = () =>
    state.text
      .split("\n")
      .filter(Boolean)
      .map((line): FlowLogLine => flowLogLine.parse(JSON.parse(line)));
  return {
    log,
    state,
    lines,
    track: (key: Tuple, value: Partial<Connection>) =>
      state.connections.set(JSON.stringify(key), [
        key,
        { ...blank(connection), lastSeen: process.hrtime.bigint() + 1_000_000_000n, ...value },
      ]),
  };
}

const ON: FlowLogSettings = { intervalSeconds: 60, maxFiles: 1, maxFileBytes: 1000 };

test("off by default: nothing is listened to or written", async () => {
  const { log, state, lines } = kept();
  await log.look();
  expect(state.send).toBeUndefined();
  expect(await log.current()).toEqual([]);
  await log.close();
  expect(lines()).toEqual([]);
});

test("connections, refusals and what was lost are written once per interval, and the end is written too", async () => {
  const { log, state, lines } = kept();
  state.settings = ON;
  await log.look(0);
  state.send?.(openedEvent(tuple(WEB, 40_001, "10.96.0.10", 5432), { address: PG, port: 5432 }));
  state.send?.(openedEvent(tuple(WEB, 40_002, "10.96.0.10", 5432), { address: PG, port: 5432 }));
  state.send?.(
    openedEvent(tuple("172.31.1.55", 1, "172.31.1.8", 30_604), {
      address: PG,
      port: 80,
      flags: ConnectionFlag.FORWARDED,
    }),
  );
  state.send?.(refusedEvent(tuple("172.31.1.55", 1, WEB, 80), Outcome.DROP_POLICY_INGRESS));
  state.send?.(refusedEvent(tuple(WEB, 1, "10.96.0.10", 81), Outcome.REJECT_NO_BACKEND));
  state.suppressed = 7n;
  await log.look(59_000);
  expect(lines()).toEqual([]);
  await log.look(60_000);
  expect(lines()).toMatchObject([
    {
      ...{ type: "flow", node: "master", at: "source", verdict: "allowed", service: "db/pg:5432" },
      from: { kind: "pods", namespace: "shop", workload: "web" },
      to: { kind: "pods", namespace: "db", workload: "pg" },
      ...{ protocol: "TCP", port: 5432, connections: 2, packetsRefused: 0 },
    },
    { verdict: "refused", reason: "reject_no_backend", to: { kind: "service", name: "db/pg:81" } },
    {
      ...{ verdict: "denied", reason: "drop_policy_ingress", policy: "rule 0 of 0, direction 0", at: "destination" },
      ...{ from: { kind: "network", cidr: "172.31.1.55/32" }, connections: 0, packetsRefused: 1 },
    },
    { type: "interval", flows: 3, lostConnections: 7, summarised: 0, unwritten: 0, host: HOST },
  ]);
  state.send?.(openedEvent(tuple(WEB, 40_003, PG, 5432)));
  await log.close();
  expect(lines().slice(4)).toMatchObject([{ connections: 1 }, { type: "interval", flows: 1, lostConnections: 0 }]);
  expect(state.send).toBeUndefined();
});

test("of connections that the node only sends on, those are written about which its staged host policies would decide otherwise", async () => {
  const early = (port: number) =>
    schemas.globalNetworkPolicies.parse({
      metadata: { name: "early" },
      spec: {
        ...{ selector: "role == 'db'", preDNAT: true, applyOnForward: true },
        ingress: [{ action: "Deny", protocol: "TCP", destination: { ports: [port] } }],
      },
    });
  const written = async (port: number) => {
    const { log, state, lines } = kept({
      now: {
        ...{ policies: { networkPolicies: [] }, pools: ["10.244.0.0/16"], hosts: hostsOf() },
        ...{ nodes: new Map(), namespaces: new Map() },
      },
      staged: { networkPolicies: [], globalNetworkPolicies: [early(port)] },
      written: () => [{ address: "172.31.1.8", port: 30_604 }],
    });
    state.settings = ON;
    await log.look(0);
    const packet = tuple("172.31.1.55", 1, "10.96.0.10", 5432);
    state.send?.(openedEvent(packet, { address: PG, port: 5432, flags: ConnectionFlag.FORWARDED }));
    state.send?.(openedEvent(tuple(WEB, 40_003, PG, 5432)));
    await log.look(60_000);
    await log.look(120_000);
    await log.close();
    return lines();
  };
  const plain = { at: "source", connections: 1, from: { kind: "pods" } };
  const empty = { type: "interval", flows: 0 };
  expect(await written(30_604)).toMatchObject([
    plain,
    {
      ...{ at: "transit", sentOn: true, connections: 1, service: "db/pg:5432", verdict: "allowed" },
      ...{ from: { cidr: "172.31.1.55/32" }, staged: { verdict: "denied" } },
    },
    { type: "interval", flows: 2 },
    ...[empty, empty],
  ]);
  const without = await written(30_605);
  expect(without).toMatchObject([plain, { type: "interval", flows: 1 }, empty, empty]);
});

test("ICMP is told apart by type and code, in the connection table too; an answer that nobody asked for has none", async () => {
  const { log, state, track } = kept();
  state.settings = ON;
  await log.look(0);
  const icmp = (packet: Tuple): Tuple => ({ ...packet, protocol: 1 });
  const [ECHO, TIMESTAMP] = [8 << 8, 13 << 8];
  state.send?.(openedEvent(icmp(tuple(WEB, 777, PG, ECHO))));
  state.send?.(openedEvent(icmp(tuple(WEB, 778, PG, ECHO))));
  state.send?.(openedEvent(icmp(tuple(WEB, 777, PG, TIMESTAMP))));
  state.send?.(refusedEvent(icmp(tuple(WEB, 777, PG, ECHO | 1)), Outcome.DROP_POLICY_EGRESS));
  state.send?.(refusedEvent(icmp(tuple(PG, ECHO, WEB, 4242)), Outcome.DROP_UNRELATED));
  track(icmp(tuple(PG, ECHO, WEB, 777)), { flags: ConnectionFlag.REPLY, packets: 3n });
  const flows = (await log.current()).flatMap((line) => (line.type === "flow" ? [flowLogLine.parse(line)] : []));
  expect(flows).toMatchObject([
    { protocol: "ICMP", port: 0, icmp: { type: 8, code: 0 }, connections: 2, packets: 3 },
    { protocol: "ICMP", port: 0, icmp: { type: 13, code: 0 }, connections: 1, packets: 0 },
    { protocol: "ICMP", port: 0, icmp: { type: 8, code: 1 }, verdict: "denied" },
    { protocol: "ICMP", port: 0, verdict: "refused" },
  ]);
  expect(flows[3]).not.toHaveProperty("icmp");
});

test("a connection that opened before the log, or whose opening was lost, is read from the connection table", async () => {
  const { log, state, track } = kept();
  state.settings = ON;
  track(tuple(WEB, 40_001, "10.96.0.10", 5432), {
    flags: ConnectionFlag.TRANSLATED,
    address: PG,
    port: 5432,
    packets: 10n,
  });
  track(tuple(PG, 5432, WEB, 40_001), {
    flags: ConnectionFlag.TRANSLATED | ConnectionFlag.REPLY,
    ...{ address: "10.96.0.10", port: 5432, packets: 5n },
  });
  track(tuple(WEB, 40_009, PG, 22), { address: PG, port: 22, packets: 1n, lastSeen: 0n }); // idle for long
  await log.look(0);
  for (const _ of [1, 2])
    expect(await log.current()).toMatchObject([
      {
        from: { workload: "web" },
        to: { workload: "pg" },
        port: 5432,
        service: "db/pg:5432",
        connections: 0,
        active: 1,
        packets: 15,
      },
      { type: "interval" },
    ]);
  await log.close();
});

test("a refused answer belongs to the flow of who opened the connection", async () => {
  const { log, state, track } = kept();
  state.settings = ON;
  track(tuple(PG, 5432, WEB, 40_001), { flags: ConnectionFlag.REPLY, address: PG, port: 5432, lastSeen: 0n });
  await log.look(0);
  state.send?.(refusedEvent(tuple(PG, 5432, WEB, 40_001), Outcome.DROP_POLICY_EGRESS));
  expect(await log.current()).toMatchObject([
    {
      from: { workload: "web" },
      to: { workload: "pg" },
      port: 5432,
      verdict: "denied",
      policy: "rule 0 of 0, direction 1",
    },
    { type: "interval" },
  ]);
  await log.close();
});

test("a disk that refuses is reported once, and the lost lines are counted in the next interval", async () => {
  const { log, state, lines } = kept();
  state.settings = ON;
  await log.look(0);
  state.failure = "no space left on device";
  state.send?.(openedEvent(tuple(WEB, 40_001, PG, 5432)));
  await log.look(60_000);
  await log.look(120_000);
  expect(state.said.filter((one) => one.includes("no space left"))).toHaveLength(1);
  state.failure = undefined;
  await log.look(180_000);
  expect(lines()).toMatchObject([{ type: "interval", flows: 0, unwritten: 3 }]);
  await log.close();
});

test("it ends when the configuration says so", async () => {
  const { log, state } = kept();
  state.settings = ON;
  await log.look(0);
  state.settings = undefined;
  await log.look(1000);
  expect(state.send).toBeUndefined();
  expect(state.said).toEqual(["the flow log begins: written every 60 s", "the flow log ends"]);
  await log.close();
});
