// Which frames the program in an uplink's card takes (bpf/xdp.bpf.c), and which it leaves to from_uplink. That both do the same is shown for every
// packet test (card.ts).
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import {
  type Connection,
  ConnectionFlag,
  NextHopKind,
  Outcome,
  outcomeNames,
  type Settings,
  SettingsFlag,
  serviceCountKindNames,
  type Tuple,
} from "../../agent/kernel/layout.gen.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { outcomeReader } from "../../agent/kernel/outcomes.ts";
import { serviceCounts } from "../../agent/kernel/service-counts.ts";
import { verdictReader } from "../../agent/kernel/verdicts.ts";
import type { Family } from "../../model/address/address.ts";
import { UDP } from "../../model/protocol.ts";
import { meetCard, meetTwice } from "./card.ts";
import { arrives, bytesOf, meet, type Step } from "./cases/step.ts";
import { backendAddress, nodes, outside } from "./cluster.ts";
import { type Transport, tcp, udp } from "./frames.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { forgetRefusals, keepRefusal } from "./refusal-place.ts";

if (noKernel) console.log(noKernel);

const { client1, client2 } = outside;
/** Node ports whose backends are elsewhere: always, and perhaps. */
const [REMOTE, PERHAPS] = [30089, 30090];
const PORT = 5000;
/** On the kernel's clock, ns: a test may wait for longer than a next hop is cached. */
const NEVER = 1n << 62n;
/** The same, before the kernel has started: longer ago than any connection lives. */
const LONG_AGO = BigInt.asUintN(64, -90_000n * 1_000_000_000n);
/** Where a frame has what (IPv4 without options). */
const AT = { destinationMac: 0, sourceMac: 6, type: 12, totalLength: 16, fragment: 20 };

describe.skipIf(noKernel)("the card's program", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
  });
  beforeEach(() => {
    node.write({ returnMode: "DSR", services: true });
    node.forget();
    forgetRefusals(node.pins);
    const settings = node.maps.settings.lookup(0) as Settings;
    return () => node.maps.settings.update([[0, settings]]);
  });

  const request = (transport: Transport, ends: Partial<Parameters<typeof arrives>[0]> = {}) =>
    arrives({ source: client1, destination: nodes.master, ...ends }, transport, "");
  const frameOf = (step: Step, family: Family = "IPv4") => Buffer.from(bytesOf(step, node, family));
  const card = (frame: Uint8Array, at = "uplink") => meetCard(node, frame, at)?.action ?? "left";

  /** The only connection. */
  const entry = () => {
    const [found] = node.maps.connections.entries();
    if (!found) throw new Error("The connection is not established.");
    return found;
  };
  const change = (part: (connection: Connection) => Partial<Connection>) => {
    const [key, value] = entry();
    node.maps.connections.update([[key as Tuple, { ...value, ...part(value) }]]);
  };
  const hop = (part: Partial<Connection["nextHop"]>) => change(({ nextHop }) => ({ nextHop: { ...nextHop, ...part } }));
  const settingsAre = (part: (settings: Settings) => Partial<Settings>) => {
    const settings = node.maps.settings.lookup(0) as Settings;
    node.maps.settings.update([[0, { ...settings, ...part(settings) }]]);
  };
  const flagged = (flag: number) => settingsAre(({ flags }) => ({ flags: flags | flag }));

  /** A connection to a backend elsewhere, whose next hop is known for as long as the test takes. */
  const open = (family: Family = "IPv4") => {
    for (const marks of ["S", "A"]) meet(node, request(tcp(PORT, REMOTE, marks)), family);
    hop({ until: NEVER });
  };
  const data = (bytes = 0, marks = "A") => request(tcp(PORT, REMOTE, marks, Buffer.alloc(bytes)));
  /** The same of datagrams. @returns a port of the client's for which chance has chosen a backend elsewhere */
  const openDatagrams = (family: Family): number => {
    for (let port = PORT; port < PORT + 100; port++) {
      node.forget();
      const sent = [1, 2, 3].map(() => meet(node, request(udp(port, PERHAPS)), family).outcomes.join());
      if (sent.some((outcome) => outcome !== "forward_service")) continue;
      hop({ until: NEVER });
      return port;
    }
    throw new Error("Of 100 flows none has a backend elsewhere.");
  };

  describe.each(["IPv4", "IPv6"] as const)("in %s", (family) => {
    test.each(["DSR", "Tunnel"] as const)("sends on what belongs to a forwarded connection (%s)", (returnMode) => {
      node.write({ returnMode, services: true });
      open(family);
      for (const step of [data(), data(100), data(100, "AP")]) {
        expect(card(frameOf(step, family))).toBe("sent");
        meetTwice(node, frameOf(step, family), step);
      }
      const port = openDatagrams(family);
      for (const size of [0, 100, 1200]) {
        const step = request(udp(port, PERHAPS, Buffer.alloc(size)));
        expect(card(frameOf(step, family))).toBe("sent");
        meetTwice(node, frameOf(step, family), step);
      }
    });

    test("keeps a connection alive", () => {
      open(family);
      const before = entry()[1].lastSeen - 1_000_000_000n;
      change(() => ({ lastSeen: before }));
      expect(card(frameOf(data(), family))).toBe("sent");
      expect(entry()[1].lastSeen).toBeGreaterThan(before);
    });

    test("leaves what opens and ends a connection, and what has no hop left", () => {
      const first = data(0, "S");
      expect([card(frameOf(first, family)), meet(node, first, family).outcomes]).toEqual(["left", ["forward_service"]]);
      expect(card(frameOf(data(), family))).toBe("left"); // half open
      open(family);
      for (const marks of ["S", "SA", "FA", "R", "RA"]) expect(card(frameOf(data(0, marks), family))).toBe("left");
      expect(card(frameOf(request(tcp(PORT, REMOTE), { ttl: 1 }), family))).toBe("left");
      expect(card(frameOf(request(tcp(PORT, REMOTE), { ttl: 2 }), family))).toBe("sent");
    });

    test("leaves all of a connection once a packet does not fit the link, so that none overtakes another", () => {
      open(family);
      const headers = family === "IPv4" ? 40 : 60;
      expect(card(frameOf(data(1450 - headers), family))).toBe("sent");
      expect(card(frameOf(data(1451 - headers), family))).toBe("left");
      expect(card(frameOf(data(), family))).toBe("left");
    });

    test("counts as from_uplink does", () => {
      flagged(SettingsFlag.SERVICE_COUNTS);
      open(family);
      const frame = frameOf(data(100), family);
      const outcomes = outcomeReader(node.pins);
      const counted = (act: () => void) => {
        const all = () => {
          const { packets = 0n, bytes = 0n, early = 0n } = outcomes().get("forward_service") ?? {};
          const services = serviceCounts(node.pins).entries();
          const requests = services.filter(([{ kind }]) => serviceCountKindNames.get(kind) === "requests");
          const sum = (of: "times" | "bytes") => requests.reduce((total, [, counter]) => total + counter[of], 0);
          return [packets, bytes, BigInt(sum("times")), BigInt(sum("bytes")), early];
        };
        const before = all();
        act();
        return all().map((after, index) => Number(after - (before[index] as bigint)));
      };
      const byCard = counted(() => card(frame));
      expect(byCard).toEqual([1, frame.length + 50, 1, frame.length, 1]);
      expect(counted(() => node.meet(frame, data()))).toEqual([...byCard.slice(0, -1), 0]);
    });
  });

  const NOT_TAKEN: [string, () => unknown][] = [
    ["the next hop is to be found again", () => hop({ until: 1n })],
    ["it leaves by another interface", () => hop({ interface: node.ifindex("other") })],
    ["its backend is reached otherwise", () => hop({ kind: NextHopKind.NETWORK })],
    ["the backend's node has IPv6 alone", () => change(() => ({ node: "fd00::2" }))],
    ["it is over", () => change(() => ({ lastSeen: LONG_AGO }))],
    [
      "its source has not been found to be right",
      () => change(({ origin }) => ({ origin: { ...origin, interface: 0 } })),
    ],
    ["it came wrapped", () => change(({ origin }) => ({ origin: { ...origin, node: 1 } }))],
    ...(["REPLY", "TRANSLATED", "VIA_ENTRY", "SYN", "CLOSED", "VIA_STACK", "LARGE", "RESET", "REFUSED"] as const).map(
      (flag): [string, () => unknown] => [
        `it is ${flag}`,
        () => change(({ flags }) => ({ flags: flags | ConnectionFlag[flag] })),
      ],
    ),
    ["it is not forwarded", () => change(({ flags }) => ({ flags: flags & ~ConnectionFlag.FORWARDED }))],
    ["policies are asked about every packet", () => flagged(SettingsFlag.UNTRACKED)],
    ["connections are taken over", () => settingsAre(() => ({ takingOverUntil: 2 ** 32 - 1 }))],
    ["packets between nodes are encrypted", () => flagged(SettingsFlag.ENCRYPTION)],
    ["there is no tunnel", () => settingsAre(() => ({ tunnelIfindex: 0 }))],
    [
      "policies of the node have changed",
      () => settingsAre(({ policyRevision }) => ({ hostRevision: 1, policyRevision: policyRevision + 2 })),
    ],
  ];
  test.each(NOT_TAKEN)("leaves a known connection's packet while %s", (_, happens) => {
    open();
    expect(card(frameOf(data()))).toBe("sent");
    happens();
    expect(card(frameOf(data()))).toBe("left");
  });

  test.each<[string, (frame: Buffer) => Buffer]>([
    ["a frame for another host", (frame) => write(frame, AT.destinationMac, "020000000099")],
    ["a frame for all hosts", (frame) => write(frame, AT.destinationMac, "ffffffffffff")],
    ["a frame of another sender", (frame) => write(frame, AT.sourceMac, "020000000099")],
    [
      "a frame of a VLAN",
      (frame) => Buffer.concat([frame.subarray(0, 12), Buffer.from("81000005", "hex"), frame.subarray(12)]),
    ],
    ["a first fragment", (frame) => write(frame, AT.fragment, "2000")],
    ["a later fragment", (frame) => write(frame, AT.fragment, "0001")],
    ["a packet longer than its frame", (frame) => write(frame, AT.totalLength, "0100")],
    ["a packet shorter than its headers", (frame) => write(frame, AT.totalLength, "0027")],
    ["another frame", (frame) => write(frame, AT.type, "0806")],
    ["half a packet", (frame) => frame.subarray(0, 50)],
    ["half a header", (frame) => frame.subarray(0, 30)],
  ])("leaves %s", (_, changed) => {
    open();
    expect(card(frameOf(data()))).toBe("sent");
    expect(card(changed(frameOf(data())))).toBe("left");
  });

  test("leaves a packet with options, one that comes by another interface, and one with extension headers", () => {
    open();
    expect(card(frameOf(request(tcp(PORT, REMOTE), { options: Buffer.alloc(4, 1) })))).toBe("left");
    expect(card(frameOf(data()), "other")).toBe("left");
    node.forget();
    open("IPv6");
    expect(card(frameOf(request(tcp(PORT, REMOTE), { extensions: [{ protocol: 60 }] }), "IPv6"))).toBe("left");
  });

  test("takes no IPv6 packet for one of IPv4, whose addresses it spells", () => {
    open();
    const ends = { source: `::ffff:${client1}`, destination: `::ffff:${nodes.master}`, by: client1 };
    expect(card(frameOf(arrives(ends, tcp(PORT, REMOTE), "")))).toBe("left");
  });

  test("takes a connection whose policies have not changed, whatever else has", () => {
    open();
    settingsAre(({ policyRevision }) => ({ policyRevision: policyRevision + 2 }));
    expect(card(frameOf(data()))).toBe("sent");
    change(() => ({ policyRevision: (node.maps.settings.lookup(0) as Settings).policyRevision }));
    settingsAre(() => ({ hostRevision: 1 }));
    expect(card(frameOf(data()))).toBe("sent");
  });

  describe("of what policies have just refused", () => {
    const asks = (transport: Transport, source: string = client2) =>
      arrives({ source, destination: backendAddress("db") }, transport, "");
    const syn = (port = PORT) => asks(tcp(port, 80, "S"));
    const refused = (step = syn()) => {
      expect(meet(node, step).outcomes).toEqual([outcomeNames.get(Outcome.DROP_POLICY_INGRESS)]);
      keepRefusal(node.pins, { refusal: NEVER, all: NEVER });
    };

    test("drops what asks again, from whatever source port, and counts it", () => {
      refused();
      const verdicts = () => verdictReader(node.pins)().reduce((sum, [, flows]) => sum + flows, 0);
      const before = verdicts();
      expect(meetCard(node, frameOf(syn(5001)), "uplink")).toMatchObject({
        action: "dropped",
        outcomes: ["drop_policy_ingress"],
      });
      expect(verdicts()).toBe(before + 1);
      meetTwice(node, frameOf(syn(5002)), syn(5002));
      node.forget();
      refused(asks(udp(PORT, 80)));
      expect(card(frameOf(asks(udp(5003, 80))))).toBe("dropped");
    });

    test.each<[string, () => string]>([
      ["for another host", () => card(write(frameOf(syn()), AT.destinationMac, "020000000099"))],
      ["by another interface", () => card(frameOf(syn()), "other")],
      ["of another sender", () => card(frameOf(asks(tcp(PORT, 80, "S"), client1)))],
      ["that opens nothing", () => card(frameOf(asks(tcp(PORT, 80, "A"))))],
      [
        "while somebody listens, whom from_uplink tells",
        () => {
          node.maps.listeners.update([[0, { until: NEVER }]]);
          const left = card(frameOf(syn()));
          node.maps.listeners.update([[0, { until: 0n }]]);
          return left;
        },
      ],
      [
        "once policies have changed",
        () => {
          settingsAre(({ policyRevision }) => ({ policyRevision: policyRevision + 2 }));
          return card(frameOf(syn()));
        },
      ],
    ])("leaves a frame %s", (_, left) => {
      refused();
      expect(left()).toBe("left");
    });

    test("leaves a datagram that may be an answer", () => {
      const answer = asks(udp(80, 80));
      refused(answer);
      expect(card(frameOf(answer))).toBe("dropped");
      open();
      const [ends, ports] = [
        { source: client2, destination: backendAddress("db") },
        { sourcePort: 80, destinationPort: 80 },
      ];
      node.maps.halfOpen.update([[{ ...ends, ...ports, protocol: UDP }, entry()[1]]]);
      expect(card(frameOf(answer))).toBe("left");
    });
  });
});

/** The frame with other bytes there. */
function write(frame: Buffer, at: number, hex: string): Buffer {
  const changed = Buffer.from(frame);
  changed.write(hex, at, "hex");
  return changed;
}
