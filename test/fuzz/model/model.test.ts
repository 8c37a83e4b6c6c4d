// The model itself, where it must know what a program remembers of packets that go no further.
import { describe, expect, test } from "vitest";
import { addressBytes } from "../../../model/address/address.ts";
import { about } from "../../packets/cases/step.ts";
import { backendAddress, nodes, outside } from "../../packets/cluster.ts";
import { frame, type IpHeader, icmpError, icmpv6, protocols, type Transport, tcp } from "../../packets/frames.ts";
import { podMacs } from "../../packets/node.ts";
import { sctp } from "../../packets/sctp.ts";
import { FragmentMemory } from "./flow.ts";
import { Model, type Passage } from "./model.ts";
import { addressNamed, type Seen, seenFrame } from "./seen.ts";

const { client1 } = outside;
const db = backendAddress("db");
const reading = (header: IpHeader, transport: Transport) => seenFrame(frame(header, transport)).ip as Seen;
const passage = (before: Seen, after: Seen, outcome: string): Passage => ({
  ...{ arrival: { from: "wire", mac: "02:00:00:00:03:03" }, before, after, outcome, destinationMac: podMacs("db").pod },
  ...{ wrappedFor: undefined, redirected: outcome === "to_endpoint", wasJudgedLater: false, judgedLater: false },
});

/** The client's port became 42418, since another of its connections has 5000 at that pod. */
const PORT = 42_418;
const opens = (ttl: number) =>
  passage(
    reading({ source: client1, destination: nodes.master, ttl }, tcp(5000, 30082, "S")),
    reading({ source: client1, destination: db, ttl: Math.max(1, ttl - 1) }, tcp(PORT, 80, "S")),
    ttl > 1 ? "to_endpoint" : "pass_to_stack",
  );
const error = passage(
  reading(
    { source: client1, destination: nodes.master },
    icmpError(3, 1, about({ source: nodes.master, destination: client1 }, tcp(30082, 5000, "SA"))),
  ),
  reading(
    { source: client1, destination: db, ttl: 63 },
    icmpError(3, 1, about({ source: db, destination: client1 }, tcp(80, PORT, "SA"))),
  ),
  "to_endpoint",
);

test.each([64, 1])("an error belongs to a connection whose first packet had a time to live of %i", (ttl) => {
  const model = new Model();
  expect(model.judge(opens(ttl))).toEqual([]);
  expect(model.judge(error)).toEqual([]);
});

test("an error about what no pod sent is noticed", () => {
  expect(new Model().judge(error)).toEqual([{ rule: "error", why: expect.stringMatching(/^no pod here sent/) }]);
});

test("an error belongs to an association whose first fragment could not be translated", () => {
  const open = backendAddress("open");
  const answer = (port: number) => sctp(3868, port, "initAck", { tag: 5, asks: 6 });
  const associated = (port: number, ttl: number) =>
    reading(
      { source: nodes.node, destination: open, ttl },
      icmpError(3, 1, about({ source: open, destination: client1 }, answer(port))),
    );
  const error = {
    ...passage(associated(5000, 64), associated(PORT, 63), "to_endpoint"),
    arrival: { from: "stack", by: undefined, isOwn: false, handledByKubeProxy: false, to: "open" },
  } as const;
  const model = new Model();
  expect(model.judge(error)).toEqual([{ rule: "error", why: expect.stringMatching(/^no pod here sent/) }]);
  const opens = sctp(5000, 3868, "init", { asks: 5 });
  model.untranslatable(reading({ source: client1, destination: open }, opens), false);
  expect(model.judge(error)).toEqual([]);
});

test.each([
  ["the node port that it serves", nodes.master, 30084, true],
  ["another Service's", nodes.master, 30085, false],
  ["an address that no Service has", client1, 30084, false],
])("a backend in the node's network may answer a client from %s", (_, source, port, isRight) => {
  const answer = (header: IpHeader, from: number) => reading(header, sctp(from, 5000, "data", { tag: 5 }));
  const said = {
    ...passage(
      answer({ source: nodes.master, destination: nodes.node, ttl: 64 }, 3868),
      answer({ source, destination: nodes.node, ttl: 63 }, port),
      "return_via_entry",
    ),
    arrival: { from: "own" },
  } as const;
  const objections = isRight ? [] : [{ rule: "return", why: expect.stringContaining(`became`) }];
  expect(new Model().judge(said)).toEqual(objections);
});

describe("a later fragment has the ports of the first one", () => {
  const ports = { source: backendAddress("db"), destination: client1, protocol: protocols.sctp };
  const first = (transport: Transport) => ({ ...reading(ports, transport), moreFragments: true, identification: 7 });
  const later: Seen = {
    ...reading(ports, sctp(0, 0, "data")),
    ...{ ports: undefined, fragmentOffset: 1280, identification: 7 },
  };
  const known = sctp(3868, 40_000, "data", { tag: 5 });

  test.each<[string, Transport, number]>([
    ["which is an INIT", sctp(3868, 41_000, "init", { asks: 9 }), 41_000],
    ["which answers one", sctp(3868, 41_000, "initAck", { tag: 9, asks: 9 }), 41_000],
    ["but for an INIT with a tag", sctp(3868, 41_000, "init", { tag: 9, asks: 9 }), 40_000],
    ["but for an answer to one without a tag", sctp(3868, 41_000, "initAck", { asks: 9 }), 40_000],
    ["but for one that asks for no tag", sctp(3868, 41_000, "init"), 40_000],
    ["but for one without a chunk", { protocol: protocols.sctp, bytes: () => Buffer.alloc(15, 41) }, 40_000],
  ])("%s", (_, transport, port) => {
    const memory = new FragmentMemory();
    memory.see(first(known));
    memory.see(first(transport));
    expect(memory.flowOf(later)?.destinationPort).toBe(port);
  });
});

const web = "10.244.0.2";
/** What web says on its link, and the stack gets. */
const says = (type: number, target: string, ends: Partial<IpHeader> = {}): Passage => {
  const header = { source: addressNamed(web), destination: "ff02::1", ttl: 255, ...ends };
  const before = reading(header, icmpv6(type, Uint8Array.from(addressBytes(addressNamed(target)))));
  return {
    ...passage(before, before, "pass_to_stack"),
    ...{ arrival: { from: "pod", pod: "web" }, redirected: false },
  };
};

test.each([
  ["of itself", says(136, web), undefined],
  ["of its link-local address", says(136, "fe80::2"), undefined],
  ["before it has an address", says(135, web, { source: "::" }), undefined],
  ["of another pod's address", says(136, backendAddress("db")), "web claimed 10.244.0.3"],
  ["as another pod", says(135, web, { source: addressNamed(backendAddress("db")) }), "web spoke as 10.244.0.3"],
  ["as a router", says(134, web), "web spoke as a router"],
  [
    "beyond its link",
    says(135, web, { destination: addressNamed(client1) }),
    `discovery left the pod's link, for ${client1}`,
  ],
])("a pod speaks %s", (_, said, why) => {
  expect(new Model().judge(said)).toEqual(why ? [{ rule: "way", why }] : []);
});
