// What policies have refused a moment ago is refused again without asking them (bpf/policy/refused.h): for how long, and for whom.
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import {
  Direction,
  EventKind,
  POLICY_ANY_IDENTITY,
  POLICY_REVISION_UNSETTLED,
  type PolicyValue,
  PolicyVerdict,
} from "../../agent/kernel/layout.gen.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { verdictReader } from "../../agent/kernel/verdicts.ts";
import { TCP, UDP } from "../../model/protocol.ts";
import { arrives, arrivesWrapped, meet, type Step, sends } from "./cases/step.ts";
import { backendAddress, outside } from "./cluster.ts";
import { Events } from "./events.ts";
import { tcp, udp } from "./frames.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { forgetRefusals, heldAt, type Kept, keepRefusal, placeOf } from "./refusal-place.ts";

if (noKernel) console.log(noKernel);

const [db, web, web2] = ["db", "web", "web2"].map(backendAddress) as [string, string, string];
const { client1, client2 } = outside;
const allows: PolicyValue = { verdict: PolicyVerdict.ALLOW, flags: 0, rule: 0 };
const denies: PolicyValue = { verdict: PolicyVerdict.DENY, flags: 0, rule: 4720 };
const REFUSED = "drop_policy_ingress";
/** On the kernel's clock, ns. */
const NEVER = 1n << 62n;

const fromOutside = (
  transport = tcp(5000, 80, "S"),
  ends: { source?: string; destination?: string; by?: string } = {},
) => arrives({ source: client2, destination: db, ...ends }, transport, "");
const fromHere = (transport = tcp(5000, 80, "S"), pod = "web") => sends(pod, { destination: db }, transport, "");
const wrapped = (transport = tcp(5000, 80, "S"), kind: "overlay" | "forward direct" = "overlay") =>
  arrivesWrapped({ kind }, { source: web2, destination: db }, transport, "");

/** What is kept of `fromOutside()`, and of flows that differ from it. */
const kept = (part: Partial<Kept> = {}): Kept => ({
  ...{ source: client2, destination: db, port: 80, protocol: TCP, ...part },
});
const senderOf = (n: number) => `203.0.${n >> 8}.${n & 0xff}`;
/** The first number with which these flows share a place. */
const numberWhere = (one: (n: number) => Kept, other: (n: number) => Kept): number => {
  for (let n = 81; n < 0xffff; n++) if (placeOf(one(n)) === placeOf(other(n))) return n;
  throw new Error("No two of these flows share a place.");
};
/** Each makes a flow that shares the place of another, from which it differs in one part only. */
const sharing = {
  sender: senderOf(
    numberWhere(
      () => kept(),
      (n) => kept({ source: senderOf(n) }),
    ),
  ),
  port: numberWhere(
    () => kept(),
    (port) => kept({ port }),
  ),
  portOfUdp: numberWhere(
    (port) => kept({ port }),
    (port) => kept({ port, protocol: UDP }),
  ),
  portOfWeb: numberWhere(
    (port) => kept({ port }),
    (port) => kept({ port, destination: web }),
  ),
};

describe.skipIf(noKernel)("a flow that policies refuse", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  let events: Events;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
    events = new Events(node.pins);
  });

  const policy = () => node.maps.endpoints.lookup(db)?.policy ?? 0;
  /** The policy of `db` says this of everything. Nothing tells the programs. */
  const quietly = (value: PolicyValue) => {
    node.maps.policies.delete(node.maps.policies.entries().map(([key]) => key));
    const key = { policy: policy(), identity: POLICY_ANY_IDENTITY, direction: Direction.INGRESS, protocol: 0, port: 0 };
    node.maps.policies.update([[{ prefixLength: 72, ...key }, value]]);
  };
  const revise = (change: (revision: number) => number) => {
    const settings = node.maps.settings.lookup(0) as NonNullable<ReturnType<typeof node.maps.settings.lookup>>;
    node.maps.settings.update([[0, { ...settings, policyRevision: change(settings.policyRevision) }]]);
  };
  /** The same as the agent changes it. */
  const says = (value: PolicyValue) => {
    revise((revision) => revision | POLICY_REVISION_UNSETTLED);
    quietly(value);
    revise((revision) => ((revision & ~POLICY_REVISION_UNSETTLED) + 2) >>> 0);
  };
  const outcomeOf = (step: Step) => {
    const met = meet(node, step);
    node.forget();
    return met.outcomes.join();
  };

  /** Refused, and allowed since. */
  const refusedOnce = (refused: Step) => {
    forgetRefusals(node.pins);
    says(denies);
    expect(outcomeOf(refused)).toBe(REFUSED);
    quietly(allows);
  };
  const whileRemembered = <T>(refused: Step, between: () => T): T => {
    refusedOnce(refused);
    keepRefusal(node.pins, { refusal: NEVER, all: NEVER });
    const result = between();
    expect(outcomeOf(refused)).toBe(REFUSED);
    return result;
  };

  beforeEach(() => {
    node.write({ returnMode: "DSR", services: true });
    node.forget();
    events.forget();
    forgetRefusals(node.pins);
  });

  test.each([
    ["from outside", fromOutside],
    ["from a pod of this node", fromHere],
    ["from a pod of another node", wrapped],
  ])("is refused again %s, from whatever source port, and not once its policy has changed", (_, from) => {
    expect(whileRemembered(from(), () => outcomeOf(from(tcp(5001, 80, "S"))))).toBe(REFUSED);
    revise((revision) => revision + 2);
    expect(outcomeOf(from())).toBe("to_endpoint");
  });

  test.each([
    ["its own time", { refusal: 1n, all: NEVER }],
    ["the time of all", { refusal: NEVER, all: 1n }],
  ])("is asked about again when %s is over", (_, ends) => {
    refusedOnce(fromOutside());
    keepRefusal(node.pins, ends);
    expect(outcomeOf(fromOutside())).toBe("to_endpoint");
  });

  const toService = sends("web", { destination: "10.96.0.12" }, tcp(5000, 80, "S"), "");
  test.each<[string, Step, PolicyValue, number]>([
    ["while policies are written", fromOutside(), denies, POLICY_REVISION_UNSETTLED],
    ["where a service has chosen its receiver", toService, denies, 0],
    ["where the source port decides", fromOutside(), { ...denies, verdict: PolicyVerdict.BY_SOURCE_PORT }, 0],
  ])("is asked about each time %s", (_, step, refuses, unsettled) => {
    says(refuses);
    revise((revision) => revision | unsettled);
    expect(outcomeOf(step)).toBe(REFUSED);
    expect(() => keepRefusal(node.pins, { refusal: NEVER, all: NEVER })).toThrow("No refusal is kept.");
    quietly(allows);
    expect(outcomeOf(step)).toBe("to_endpoint");
  });

  test.each<[string, Step, Step, string]>([
    ["another sender", fromOutside(), fromOutside(tcp(5000, 80, "S"), { source: client1 }), "to_endpoint"],
    ["a pod", fromHere(), fromHere(tcp(5000, 80, "S"), "open"), "to_endpoint"],
    ["a frame of another host", fromOutside(), fromOutside(tcp(5000, 80, "S"), { by: client1 }), "to_endpoint"],
    ["another port", fromOutside(), fromOutside(tcp(5000, 81, "S")), "to_endpoint"],
    ["another protocol", fromOutside(), fromOutside(udp(5000, 80)), "to_endpoint"],
    ["a packet that opens nothing", fromOutside(), fromOutside(tcp(5000, 80, "A")), "to_endpoint"],
    [
      "a forged frame",
      fromHere(),
      fromOutside(tcp(5000, 80, "S"), { source: backendAddress("web") }),
      "drop_spoofed_source",
    ],
  ])("says nothing of %s", (_, refused, other, becomes) => {
    expect(whileRemembered(refused, () => outcomeOf(other))).toBe(becomes);
  });

  const syn = (port: number) => tcp(5000, port, "S");
  test.each<[string, number, Step]>([
    ["another sender", 80, fromOutside(syn(80), { source: sharing.sender, by: client2 })],
    ["another port", 80, fromOutside(syn(sharing.port))],
    ["another protocol", sharing.portOfUdp, fromOutside(udp(5000, sharing.portOfUdp))],
    ["another receiver", sharing.portOfWeb, fromOutside(syn(sharing.portOfWeb), { destination: web })],
  ])("says nothing of %s that shares its place", (_, port, other) => {
    const place = placeOf(kept({ port }));
    whileRemembered(fromOutside(syn(port)), () => {
      expect(heldAt(node.pins, place)).toContainEqual(expect.objectContaining(kept({ port })));
      expect(outcomeOf(other)).toBe("to_endpoint");
    });
  });

  test("is counted, reported and named as the first time", () => {
    node.maps.listeners.update([[0, { until: process.hrtime.bigint() + 3_600_000_000_000n }]]);
    const counted = () => {
      const [found] = verdictReader(node.pins)().filter(([{ rule }]) => rule === denies.rule);
      return found?.[1] ?? 0;
    };
    const again = () =>
      whileRemembered(fromOutside(), () => {
        events.forget();
        const before = counted();
        const outcome = outcomeOf(fromOutside(tcp(5007, 80, "S")));
        return { outcome, more: counted() - before, reported: events.of(EventKind.REFUSED) };
      });
    const found = again();
    expect([found.outcome, found.more]).toEqual([REFUSED, 1]);
    const packet = { source: client2, destination: db, sourcePort: 5007, destinationPort: 80 };
    const refused = found.reported.filter(({ packet }) => packet.sourcePort === 5007);
    expect(refused).toMatchObject([{ packet, address: db, port: 80, policy: policy(), rule: denies.rule }]);
  });
});
