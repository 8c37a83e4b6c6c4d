// What a policy's entry says beyond allowing (bpf/shared/policy.h): why it refuses, that a Log rule matched, that the source port
// decides; and what is reported and counted of it.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import {
  Direction,
  EventKind,
  POLICY_ANY_IDENTITY,
  POLICY_SOURCE_PORT,
  PolicyFlag,
  type PolicyKey,
  type PolicyValue,
  PolicyVerdict,
  REPORT_WINDOW_NS,
  type Settings,
} from "../../agent/kernel/layout.gen.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { verdictReader } from "../../agent/kernel/verdicts.ts";
import { arrives, meet, type Step, sends } from "./cases/step.ts";
import { backendAddress, outside } from "./cluster.ts";
import { Events } from "./events.ts";
import { echo, tcp, timestamp, udp } from "./frames.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { forgetRefusals } from "./refusal-place.ts";

if (noKernel) console.log(noKernel);

const db = backendAddress("db");
/** In one window of those from `since` on (ns), on one processor: how many entries of `report_shares` were taken from. */
function mostSharesTaken(folder: string, since: bigint): number {
  const printed = execFileSync("bpftool", ["--json", "map", "dump", "pinned", join(folder, "report_shares")], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const entries = JSON.parse(printed) as {
    formatted: { values: { cpu: number; value: { window: number; in_window: number } }[] };
  }[];
  const first = Number(since / BigInt(REPORT_WINDOW_NS));
  const taken = entries.flatMap(({ formatted }) =>
    formatted.values.filter(({ value }) => value.in_window > 0 && value.window >= first),
  );
  const windows = Map.groupBy(taken, ({ cpu, value }) => `${cpu} ${value.window}`);
  return Math.max(...[...windows.values()].map((shares) => shares.length));
}

/** Whether what began then took at most so many windows. A busy machine may take so many that all of it is reported. */
function isFlood(begun: bigint, windows: number): boolean {
  const took = Number(process.hrtime.bigint() - begun) / REPORT_WINDOW_NS;
  if (took > windows) console.log(`too slow for a flood: it took ${took.toFixed(1)} windows, not ${windows}`);
  return took <= windows;
}

const [TCP, ICMP, UDP] = [6, 1, 17];
const deny = (rule: number): PolicyValue => ({ verdict: PolicyVerdict.DENY, flags: 0, rule });
const ALLOW: PolicyValue = { verdict: PolicyVerdict.ALLOW, flags: 0, rule: 0 };

describe.skipIf(noKernel)("an entry of a policy", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  let events: Events;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
    events = new Events(node.pins);
  });

  const policy = () => node.maps.endpoints.lookup(db)?.policy ?? 0;
  /** The policy of `db` consists of these entries. */
  const says = (...entries: [Partial<PolicyKey>, PolicyValue][]) => {
    node.maps.policies.delete(node.maps.policies.entries().map(([key]) => key));
    const key = { prefixLength: 96, policy: policy(), identity: POLICY_ANY_IDENTITY, direction: Direction.INGRESS };
    node.maps.policies.update(entries.map(([part, value]) => [{ ...key, protocol: TCP, port: 80, ...part }, value]));
    const [[, settings]] = node.maps.settings.entries() as [[number, Settings]];
    node.maps.settings.update([[0, { ...settings, policyRevision: settings.policyRevision + 2 }]]);
  };
  const outcomeOf = (step: Step) => meet(node, step).outcomes.join();
  const toDb = (transport: Parameters<typeof sends>[2]) => outcomeOf(sends("web", { destination: db }, transport, ""));
  const listen = (until: bigint) => node.maps.listeners.update([[0, { until }]]);
  const counted = () => {
    const all = verdictReader(node.pins)();
    return (wanted: { rule: number; verdict: number }) =>
      all
        .filter(([one]) => one.policy === policy() && one.rule === wanted.rule && one.verdict === wanted.verdict)
        .reduce((sum, [, flows]) => sum + flows, 0);
  };

  beforeEach(() => {
    node.write({ returnMode: "DSR", services: true });
    node.forget();
    forgetRefusals(node.pins); // `says` gives different policies one revision, which the agent does not
    events.forget();
    listen(0n);
    const written = node.maps.policies.entries();
    return () => {
      says();
      node.maps.policies.update(written);
    };
  });

  test("names the rule that refuses, and the peer, in the event of the refused packet", () => {
    listen(process.hrtime.bigint() + 60_000_000_000n);
    says([{}, deny(4711)]);
    expect(toDb(tcp(5000, 80, "S"))).toBe("drop_policy_ingress");
    expect(toDb(tcp(5000, 81, "S"))).toBe("drop_policy_ingress");
    const identity = node.maps.locations
      .entries()
      .find(([{ address }]) => address === backendAddress("web"))?.[1].identity;
    expect(events.of(EventKind.REFUSED)).toMatchObject([
      { policy: policy(), rule: 4711, identity },
      { policy: policy(), rule: 0, identity },
    ]);
  });

  test("nothing of an earlier packet, of the other family or with ports, is in the event of a refused one", () => {
    listen(process.hrtime.bigint() + 60_000_000_000n);
    says();
    const earlier = sends("web", { destination: db, as: backendAddress("open") }, tcp(5005, 80, "S"), "");
    expect(meet(node, earlier, "IPv6").outcomes).toEqual(["drop_spoofed_source"]);
    expect(toDb(echo(81))).toBe("drop_policy_ingress");
    const [, refused] = events.of(EventKind.REFUSED);
    expect(refused?.packet).toMatchObject({ source: backendAddress("web"), destination: db, protocol: ICMP });
    expect(refused?.packet).toMatchObject({ sourcePort: 0, destinationPort: 0 });
  });

  test("is not named as the reason of a refusal for which no policy was asked", () => {
    listen(process.hrtime.bigint() + 60_000_000_000n);
    // A connection that kube-proxy has translated, of a pod with an egress policy: nobody judges it behind the stack any more.
    const goesOn = (marks: string) => outcomeOf(sends("jail", { destination: "10.96.0.10" }, tcp(5003, 80, marks), ""));
    node.write({ returnMode: "DSR", services: false });
    goesOn("S");
    node.write({ returnMode: "DSR", services: true });
    says([{ port: 81 }, deny(4715)]);
    expect(toDb(tcp(5004, 81, "S"))).toBe("drop_policy_ingress");
    expect(goesOn("A")).toBe("drop_policy_egress");
    expect(events.of(EventKind.REFUSED)).toMatchObject([
      { policy: policy(), rule: 4715 },
      { policy: 0, identity: 0, rule: 0 },
    ]);
  });

  test("is counted by rule and verdict, once for a connection that opens", () => {
    says([{}, deny(4712)], [{ port: 81 }, { ...ALLOW, flags: PolicyFlag.LOGGED, rule: 4714 }]);
    const before = counted();
    for (const port of [80, 80, 81]) toDb(tcp(5001, port, "S"));
    toDb(tcp(5001, 81, "A"));
    const after = counted();
    const more = (rule: number, verdict: number) => after({ rule, verdict }) - before({ rule, verdict });
    expect([more(4712, PolicyVerdict.DENY), more(0, PolicyVerdict.ALLOW)]).toEqual([2, 1]);
  });

  test.each([
    ["allows", { ...ALLOW, flags: PolicyFlag.LOGGED, rule: 4714 }, "to_endpoint"],
    ["refuses", { ...deny(4713), flags: PolicyFlag.LOGGED }, "drop_policy_ingress"],
  ])("that is logged is reported without listeners, and %s", (_, value, outcome) => {
    says([{}, value]);
    expect(toDb(tcp(5002, 80, "S"))).toBe(outcome);
    const { verdict, rule } = value;
    const packet = { source: backendAddress("web"), destination: db, sourcePort: 5002, destinationPort: 80 };
    const expected = { packet, policy: policy(), verdict, rule, direction: Direction.INGRESS };
    expect(events.of(EventKind.LOGGED)).toMatchObject([expected]);
  });

  test("that is logged blocks nothing when there is too much to report", () => {
    says([
      { prefixLength: 80, port: 0 },
      { ...ALLOW, flags: PolicyFlag.LOGGED },
    ]);
    const begun = process.hrtime.bigint();
    const outcomes = Array.from({ length: 300 }, (_, index) => toDb(tcp(6000 + index, 80, "S")));
    expect(new Set(outcomes)).toEqual(new Set(["to_endpoint"]));
    const reported = events.of(EventKind.LOGGED).length;
    expect(reported).toBeGreaterThan(0);
    if (isFlood(begun, 12))
      // of each a sender has ten, on each of two processors
      expect(reported).toBeLessThan(300);
  });

  test.each<[string, (index: number) => Step, Step]>([
    [
      "a pod's flood leaves those of other pods visible",
      (index) => sends("web", { destination: db }, udp(index + 1, 81), "drop_policy_ingress"),
      sends("open", { destination: db }, udp(7000, 81), ""),
    ],
    [
      "a flood of one address outside leaves those of others behind the same interface visible",
      (index) => arrives({ source: outside.client2, destination: db }, udp(index + 1, 81), "drop_policy_ingress"),
      arrives({ source: outside.remote, destination: db, by: outside.client1 }, udp(7000, 81), ""),
    ],
    [
      "a pod's flood with another's address leaves that pod's own visible",
      (index) =>
        sends("web", { destination: db, as: backendAddress("open") }, udp(index + 1, 81), "drop_spoofed_source"),
      sends("open", { destination: db }, udp(7000, 81), ""),
    ],
    [
      "a flood with forged addresses leaves those of other interfaces visible",
      (index) =>
        arrives(
          { source: `198.51.100.${index}`, destination: db, by: outside.client1 },
          udp(9, 81),
          "drop_policy_ingress",
        ),
      sends("open", { destination: db }, udp(7000, 81), ""),
    ],
  ])("refuses, and of refusals %s", async (_, flood, other) => {
    says();
    listen(process.hrtime.bigint() + 60_000_000_000n);
    const rounds = 5;
    const floods: boolean[] = [];
    for (let round = 0; round < rounds; round++) {
      const begun = process.hrtime.bigint();
      for (let index = 0; index < 150; index++) {
        const step = flood(index);
        expect(outcomeOf(step)).toBe(step.becomes);
      }
      floods.push(isFlood(begun, 2.5)); // of each an interface has 30
      expect(outcomeOf(other)).toBe("drop_policy_ingress");
      await setTimeout(REPORT_WINDOW_NS / 1e6 + 10);
    }
    const refused = events.of(EventKind.REFUSED);
    const ofOther = refused.filter(({ packet }) => packet.sourcePort === 7000);
    if (floods.includes(true)) expect(refused.length).toBeLessThan(rounds * 150);
    expect(ofOther.length).toBeGreaterThanOrEqual(rounds - 1); // in one of 250 windows two share one entry
  });

  test("refuses, and a flood that goes on into the next window leaves others visible in it", async () => {
    says();
    listen(process.hrtime.bigint() + 60_000_000_000n);
    const from = (first: number, by: string) => {
      for (let index = 0; index < 100; index++) {
        const source = `198.51.100.${first + index}`;
        outcomeOf(arrives({ source, destination: db, by }, udp(9, 81), ""));
      }
    };
    /** The programs' clock is the same. */
    const phase = async (part: number) => {
      const [wanted, window] = [BigInt(Math.round(part * REPORT_WINDOW_NS)), BigInt(REPORT_WINDOW_NS)];
      const ahead = (wanted - (process.hrtime.bigint() % window) + window) % window;
      await setTimeout(Number(ahead) / 1e6);
    };
    const rounds = 4;
    for (let round = 0; round < rounds; round++) {
      await phase(0.7);
      from(1, outside.client1);
      await phase(0.1);
      from(101, outside.client1);
      outcomeOf(sends("open", { destination: db }, udp(7001, 81), ""));
      await setTimeout((2 * REPORT_WINDOW_NS) / 1e6);
    }
    const ofOther = events.of(EventKind.REFUSED).filter(({ packet }) => packet.sourcePort === 7001);
    expect(ofOther.length).toBeGreaterThanOrEqual(rounds - 1);
  });

  test("is reported of a flood with forged addresses without taking the shares of others", () => {
    const begun = process.hrtime.bigint();
    listen(begun + 60_000_000_000n);
    for (let index = 0; index < 400; index++) {
      const as = `198.51.${100 + (index >> 8)}.${index & 0xff}`;
      expect(outcomeOf(sends("web", { destination: db, as }, udp(9, 81), ""))).toBe("drop_spoofed_source");
    }
    // Those of its interface (bpf/shared/event.h: three fifths of 50), and the interface's own.
    expect(mostSharesTaken(node.pins.maps, begun)).toBeLessThanOrEqual(30 + 1);
  });

  test("may leave the answer to the source port", () => {
    says(
      [{}, { verdict: PolicyVerdict.BY_SOURCE_PORT, flags: 0, rule: 9 }],
      [{ prefixLength: 80, direction: POLICY_SOURCE_PORT, identity: 9, port: 0 }, deny(4714)],
      [{ prefixLength: 93, direction: POLICY_SOURCE_PORT, identity: 9, port: 5000 }, ALLOW], // 5000-5007
    );
    const became = [4999, 5000, 5007, 5008].map((port) => toDb(tcp(port, 80, "S")));
    expect(became).toEqual(["drop_policy_ingress", "to_endpoint", "to_endpoint", "drop_policy_ingress"]);
  });

  test("that leaves it to a table which is not written refuses", () => {
    says([{}, { verdict: PolicyVerdict.BY_SOURCE_PORT, flags: 0, rule: 10 }]);
    expect(toDb(tcp(5000, 80, "S"))).toBe("drop_policy_ingress");
  });

  test.each([
    ["allows echo requests by their type", 0x0800, "to_endpoint"],
    ["does not take the type of replies for that of requests", 0x0000, "drop_policy_ingress"],
    ["does not take another type for an echo request", 0x0500, "drop_policy_ingress"],
  ])("of ICMP %s", (_, port, outcome) => {
    says([{ protocol: ICMP, port }, ALLOW]);
    expect(toDb(echo(77))).toBe(outcome);
  });

  test.each([
    ["a code of echo requests", echo(79, "request", undefined, 5), 0x0805],
    ["another query", timestamp(79), 0x0d00],
  ])("of ICMP about %s is about no other", (_, packet, port) => {
    says([{ protocol: ICMP, port }, ALLOW]);
    expect([toDb(packet), toDb(echo(79))]).toEqual(["to_endpoint", "drop_policy_ingress"]);
  });

  test("of ICMP about all codes of a type is a prefix of 8 bits; of another protocol it says nothing about echoes", () => {
    says([{ protocol: ICMP, port: 0x0800, prefixLength: 88 }, ALLOW]);
    expect([toDb(echo(78)), toDb(udp(5000, 8, Buffer.alloc(4)))]).toEqual(["to_endpoint", "drop_policy_ingress"]);
    says([{ protocol: UDP, port: 0x0800, prefixLength: 88 }, ALLOW]);
    node.forget();
    expect(toDb(echo(78))).toBe("drop_policy_ingress");
  });
});
