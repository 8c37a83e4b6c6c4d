// Passes a frame from an uplink to its card's program (bpf/xdp.bpf.c) first, and then to from_uplink in any case: what the first does, the second does
// likewise. So each packet test is also one of the card's program.
import { testRunXdp, XDP } from "../../agent/kernel/test-run-xdp.fixture.ts";
import type { Meeting, Met, NodeUnderTest } from "./node.ts";
import { readFrame } from "./reading.ts";
import { REDIRECT, SHOT } from "./verdict.ts";

/** What the card's program has done with a frame; undefined: it passes. */
export interface Taken {
  readonly action: "sent" | "dropped";
  readonly frame: Buffer;
  readonly outcomes: readonly string[];
}

/** Whether a card can have the frame so: whole, without what the kernel adds. */
const isFromCard = ({ program, tunnel, tag, mark, gso, ingressIfindex }: Meeting) =>
  program === "from_uplink" && !tunnel && tag === undefined && !mark && !gso && !ingressIfindex;

/** @throws Error when a frame that passes was changed or counted */
export function meetCard(node: NodeUnderTest, frame: Uint8Array, at: string): Taken | undefined {
  const { action, frame: left } = testRunXdp(node.programFd("xdp_uplink"), frame, node.ifindex(at));
  const outcomes = node.counters.since();
  if (action === XDP.PASS) {
    if (outcomes.length > 0 || !left.equals(frame)) throw new Error(`A frame that passes was counted: ${outcomes}`);
    return undefined;
  }
  if (action !== XDP.TX && action !== XDP.DROP) throw new Error(`The card's program answers ${action}.`);
  return { action: action === XDP.TX ? "sent" : "dropped", frame: left, outcomes };
}

/** As node.meet(), and in what the two programs differ. */
export function meetBoth(
  node: NodeUnderTest,
  frame: Uint8Array,
  meeting: Meeting,
): { met: Met; differences: string[] } {
  if (!isFromCard(meeting)) return { met: node.meet(frame, meeting), differences: [] };
  const key = keyOf(frame);
  const before = key && node.maps.connections.lookup(key);
  const early = meetCard(node, frame, meeting.at);
  if (!early) return { met: node.meet(frame, meeting), differences: [] };
  const entry = key && entryOf(node, key);
  if (key && before) node.maps.connections.update([[key, before]]);
  const met = node.meet(frame, meeting);
  const differences = [
    ...(met.action === (early.action === "sent" ? REDIRECT : SHOT) ? [] : [`action ${met.action}`]),
    ...(met.outcomes.join() === early.outcomes.join() ? [] : [`counted ${met.outcomes}`]),
    ...(early.action === "dropped" || comparable(early.frame) === comparable(met.frame) ? [] : ["other bytes"]),
    ...(entry === (key && entryOf(node, key)) ? [] : ["another entry"]),
  ];
  const said = `the card's program has ${early.action} a frame (${early.outcomes}), from_uplink:`;
  return { met, differences: differences.map((difference) => `${said} ${difference}`) };
}

/** The same. @throws Error when they differ */
export function meetTwice(node: NodeUnderTest, frame: Uint8Array, meeting: Meeting): Met {
  const { met, differences } = meetBoth(node, frame, meeting);
  if (differences.length > 0) throw new Error(differences.join("; "));
  return met;
}

type Key = Parameters<NodeUnderTest["maps"]["connections"]["lookup"]>[0];

function keyOf(frame: Uint8Array): Key | undefined {
  const { ip } = frame.length >= 34 ? readFrame(frame) : {};
  if (!ip?.ports) return undefined;
  const { source, destination, protocol, ports } = ip;
  return { source, destination, protocol, sourcePort: ports.source, destinationPort: ports.destination };
}

/** Without its times. */
function entryOf(node: NodeUnderTest, key: Key): string | undefined {
  const entry = node.maps.connections.lookup(key);
  if (!entry) return undefined;
  const { lastSeen: _, nextHop, ...rest } = entry;
  return JSON.stringify({ ...rest, nextHop: { ...nextHop, until: 0 } }, (_, value) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

/** Without the outer header's identification, another one in each packet, and its checksum. */
function comparable(frame: Uint8Array): string {
  const bytes = Buffer.from(frame);
  bytes.writeUInt16BE(0, 18);
  bytes.writeUInt16BE(0, 24);
  return bytes.toString("hex");
}
