import { expect, test } from "vitest";
import { parseDestination } from "./destination.ts";
import { parsePlace } from "./place.ts";
import { contradictionsIn, type Stated } from "./rules.ts";

const to = parseDestination;

const fields = (changed: Partial<Stated>) =>
  contradictionsIn({ verdict: "allowed", count: 3, ...changed }).map(({ field }) => field);

test("numbers that can be met are no contradiction", () => {
  expect(fields({})).toEqual([]);
  expect(fields({ icmp: { type: 13, code: 0 }, to: to("icmp://a") })).toEqual([]);
  expect(fields({ size: 65_000, to: to("udp://a:1") })).toEqual([]);
  expect(fields({ spread: 3 })).toEqual([]);
  expect(fields({ keep: true, sourcePort: 40_001, to: to("udp://a:1") })).toEqual([]);
  expect(fields({ keep: false, to: to("icmp://a") })).toEqual([]);
  expect(fields({ spread: 2, spreadAtMost: 2 })).toEqual([]);
  expect(fields({ distinct: { atLeast: 2, atMost: 2 } })).toEqual([]);
  expect(fields({ distinct: { atLeast: 2, atMost: 3 } })).toEqual([]);
});

test("labels in from and to may select several pods, so that there are more attempts than count", () => {
  const distinct = { atLeast: 5, atMost: 5 };
  expect(fields({ distinct, count: 1, from: parsePlace("pod/default/app=web") })).toEqual([]);
  expect(fields({ distinct, count: 1, to: parseDestination("tcp://pod/default/app=web:80") })).toEqual([]);
  expect(fields({ distinct, count: 1, from: parsePlace("pod/default/web") })).not.toEqual([]);
});

test.each<[Partial<Stated>, string[]]>([
  [{ distinct: {} }, ["distinct"]],
  [{ distinct: { atLeast: 4 } }, ["distinct.atLeast"]],
  [{ distinct: { atLeast: 3, atMost: 2 } }, ["distinct.atMost"]],
  [{ distinct: { atMost: 1 }, count: 1 }, ["distinct.atMost"]],
  [{ distinct: { atLeast: 2 }, spread: 2 }, ["spread"]],
  [{ distinct: { atLeast: 1 }, verdict: "dropped" }, ["distinct"]],
  [{ icmp: { type: 8 }, to: to("tcp://a:1") }, ["icmp"]],
  [{ icmp: { type: 5 }, to: to("icmp://a") }, ["icmp.type"]],
  [{ icmp: { type: 17 }, to: to("icmp://a") }, ["icmp.type"]],
  [{ icmp: { type: 8 }, to: to("icmp://fd00::1") }, ["icmp.type"]],
  [{ sourcePort: 1, reply: "direct", to: to("icmp://a") }, ["sourcePort", "reply"]],
  [{ distinct: { atMost: 1 }, to: to("icmp://a") }, ["distinct"]],
  [{ size: 1, to: to("sctp://a:1") }, ["size"]],
  [{ size: 65_001, to: to("udp://a:1") }, ["size"]],
  [{ size: 100_000_000, to: to("tcp://a:1"), count: 11 }, ["size"]],
  [{ size: 1, http: {} }, ["size"]],
  [{ http: {}, to: to("udp://a:1") }, ["http"]],
  [{ http: {}, verdict: "rejected" }, ["http"]],
  [{ family: "IPv6", to: to("udp://10.0.0.1:1") }, ["family"]],
  [{ family: "IPv4", to: to("udp://[fd00::1]:1") }, ["family"]],
  [{ keep: true, to: to("tcp://a:1") }, ["keep"]],
  [{ keep: true, to: to("icmp://a") }, ["keep"]],
  [{ keep: true, to: to("icmp://a"), sourcePort: 1 }, ["keep", "sourcePort"]],
  [{ keep: true, to: to("sctp://a:1"), sourcePort: 1 }, ["keep"]],
  [{ keep: true, to: to("udp://a:1"), sourcePort: 1, size: 1 }, ["size"]],
  [{ spread: 4 }, ["spread"]],
  [{ spreadAtMost: 3 }, ["spreadAtMost"]],
  [{ spread: 2, spreadAtMost: 1 }, ["spreadAtMost"]],
  [{ spread: 1, verdict: "dropped" }, ["spread"]],
  [{ spreadAtMost: 1, verdict: "rejected" }, ["spreadAtMost"]],
])("%j is refused at %j", (changed, refused) => expect(fields(changed)).toEqual(refused));
