// What exceeds a pod's bandwidth is dropped, at each place where packets leave it or reach it. At 1 kbit/s one of these packets is all that
// may be sent in eleven seconds: whatever the machine's speed, the second one exceeds it.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { costOf } from "../../agent/compile/bandwidths.ts";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { BANDWIDTH_SHIFT, Direction, SettingsFlag } from "../../agent/kernel/layout.gen.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { arrives, arrivesWrapped, bytesOf, handed, meet, type Step, sends } from "./cases/step.ts";
import { backendAddress, outside } from "./cluster.ts";
import { tcp, udp } from "./frames.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";

if (noKernel) console.log(noKernel);

const { client1 } = outside;
const [web, open] = [backendAddress("web"), backendAddress("open")];
const LONG = Buffer.alloc(1400);
const SLOW = costOf(1000);

describe.skipIf(noKernel)("a pod's bandwidth", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
  });
  beforeEach(() => {
    node.write({ returnMode: "DSR", services: true });
    node.forget();
  });
  afterEach(() => node.maps.bandwidths.delete(node.maps.bandwidths.entries().map(([key]) => key)));

  const setFlag = (set: boolean) => {
    const settings = node.maps.settings.lookup(0);
    if (!settings) throw new Error("no settings");
    const flags = (settings.flags & ~SettingsFlag.BANDWIDTH) | (set ? SettingsFlag.BANDWIDTH : 0);
    node.maps.settings.update([[0, { ...settings, flags }]]);
  };
  const limit = (pod: string, direction: keyof typeof Direction, cost = SLOW) => {
    const key = { interface: node.ifindex(pod), direction: Direction[direction] };
    node.maps.bandwidths.update([[key, { cost, due: 0n }]]);
    setFlag(true);
    return () => node.maps.bandwidths.lookup(key)?.due ?? 0n;
  };
  const outcomes = (...steps: Step[]) => steps.map((step) => meet(node, step).outcomes.join());
  const toOpen = (port: number) => sends("web", { destination: open }, udp(port, 80, LONG), "");

  test("of what it sends: nothing is remembered of a packet that exceeds it, and other pods are not concerned", () => {
    limit("web", "EGRESS");
    expect(outcomes(toOpen(4001), toOpen(4001), toOpen(4002))).toEqual([
      "to_endpoint",
      "drop_bandwidth",
      "drop_bandwidth",
    ]);
    expect(node.connectionsOf(4001)).not.toEqual([]);
    expect(node.connectionsOf(4002)).toEqual([]);
    const others = sends("open", { destination: web }, udp(4003, 80, LONG), "");
    expect(outcomes(others, others, arrives({ source: client1, destination: web }, tcp(4004, 80, "S"), ""))).toEqual([
      ...["to_endpoint", "to_endpoint", "to_endpoint"],
    ]);
  });

  test.each([
    ["a client's", arrives({ source: client1, destination: open }, udp(4005, 80, LONG), "")],
    ["a pod's of this node", toOpen(4006)],
    [
      "a wrapped one",
      arrivesWrapped(
        { kind: "overlay" },
        { source: backendAddress("web2"), destination: web },
        udp(4007, 80, LONG),
        "",
      ),
    ],
    ["one from the host's stack", handed("open", { source: client1, destination: open }, udp(4008, 80, LONG), "")],
  ])("of what it receives: %s", (_, step) => {
    limit("open", "INGRESS");
    limit("web", "INGRESS");
    expect(outcomes(step, step)).toEqual(["to_endpoint", "drop_bandwidth"]);
  });

  test("a packet that is refused in any case uses nothing of it", () => {
    const due = limit("jail", "EGRESS");
    expect(outcomes(sends("jail", { destination: open }, udp(4009, 80, LONG), ""))).toEqual(["drop_policy_egress"]);
    expect(due()).toBe(0n);
  });

  test("is not asked for where no pod of the node has one", () => {
    limit("web", "EGRESS");
    setFlag(false);
    expect(outcomes(toOpen(4010), toOpen(4010), toOpen(4010))).toEqual(["to_endpoint", "to_endpoint", "to_endpoint"]);
  });

  const segment = { ...sends("web", { destination: client1 }, tcp(80, 4011, "SA", Buffer.alloc(2800)), "") };
  test.each([
    { say: "of one packet its bytes", gso: undefined, bytes: 14 + 20 + 20 + 2800 },
    { say: "of large segments the headers of each", gso: { size: 100, segments: 28 }, bytes: 28 * (54 + 100) },
    { say: "their number is not believed", gso: { size: 100, segments: 1 }, bytes: 28 * (54 + 100) },
    { say: "of a last one that is smaller", gso: { size: 1500, segments: 2 }, bytes: 2800 + 2 * 54 },
  ])("counts what is on the wire: $say", ({ gso, bytes }) => {
    const due = limit("web", "EGRESS");
    meet(node, arrives({ source: client1, destination: web }, tcp(4011, 80, "S"), ""));
    expect(bytesOf(segment, node).length).toBe(14 + 20 + 20 + 2800);
    const before = process.hrtime.bigint();
    meet(node, { ...segment, ...(gso && { gso }) });
    const after = process.hrtime.bigint();
    const cost = (BigInt(bytes) * SLOW) >> BigInt(BANDWIDTH_SHIFT);
    expect(due()).toBeGreaterThanOrEqual(before + cost - 200_000_000n); // the programs' clock has coarse ticks
    expect(due()).toBeLessThanOrEqual(after + cost);
  });
});
