import { expect, test } from "vitest";
import { answerIn } from "./control.ts";
import { hasEnded, sessionStates } from "./states.ts";

const NONE = { imported: 0, isLimited: false };

// As BIRD 2.0.12 writes them.
const TABLE = `2002-Name       Proto      Table      State  Since         Info
1002-device1    Device     ---        up     07:20:00.123  
 kernel_ipv4 Kernel     master4    up     07:20:00.123  
 peer_172_31_1_1 BGP        ---        up     07:20:03.411  Established   
1006-  BGP state:          Established
    Neighbor AS:      64500
  Channel ipv4
    State:          UP
    Import limit:   50000 [HIT]
      Action:       block
    Routes:         50000 imported, 3 exported, 49998 preferred
    Route change stats:     received   rejected   filtered    ignored   accepted
1002-peer_172_31_1_207 BGP        ---        start  07:20:00.123  Active        Socket: Connection refused
 peer_2001_db8__1 BGP        ---        start  07:20:00.123  Idle          Received: Bad peer AS
 peer_2001_db8__2 BGP        ---        start  07:20:00.123  Idle          Automatic shutdown: Route limit exceeded
 peer_10_0_0_1 BGP        ---        down   07:20:00.123  
0000 
`;

test("what BIRD says of its sessions is read when its answer is complete", () => {
  expect(answerIn(TABLE.slice(0, -3))).toBeUndefined();
  const answer = answerIn(TABLE);
  expect(answer?.code).toBe(0);
  expect(Object.fromEntries(sessionStates(answer ?? { code: 0, lines: [] }))).toEqual({
    peer_172_31_1_1: {
      established: true,
      state: "Established",
      since: "07:20:03.411",
      reason: undefined,
      imported: 50_000,
      isLimited: true,
    },
    peer_172_31_1_207: {
      established: false,
      state: "Active",
      since: "07:20:00.123",
      reason: "Socket: Connection refused",
      ...NONE,
    },
    peer_2001_db8__1: {
      established: false,
      state: "Idle",
      since: "07:20:00.123",
      reason: "Received: Bad peer AS",
      ...NONE,
    },
    peer_2001_db8__2: {
      established: false,
      state: "Idle",
      since: "07:20:00.123",
      reason: "Automatic shutdown: Route limit exceeded",
      ...NONE,
    },
    peer_10_0_0_1: { established: false, state: "Down", since: "07:20:00.123", reason: undefined, ...NONE },
  });
});

test("a refusal has its reason", () => {
  const answer = answerIn("0002-Reading configuration from /run/bird.conf\n8002 /run/bird.conf:3:1 syntax error\n");
  expect(answer).toEqual({
    code: 8002,
    lines: ["Reading configuration from /run/bird.conf", "/run/bird.conf:3:1 syntax error"],
  });
});

test.each([
  ["goes on", "07:20:00.123", "07:20:00.123", false],
  ["goes on for more than a day", "07:20:00.123", "2026-11-29", false],
  ["goes on for long", "2026-11-29", "2026-11-29", false],
  ["has ended and is established again", "07:20:00.123", "07:21:10.000", true],
  ["has ended after long, and is established again", "2026-11-29", "07:21:10.000", true],
])("a session %s", (_, before, now, ended) => {
  const established = (since: string) => ({
    established: true,
    state: "Established",
    since,
    reason: undefined,
    ...NONE,
  });
  expect(hasEnded(established(before), established(now))).toBe(ended);
});

test("a session that is not established has ended if it was", () => {
  const of = (state: string) => ({
    established: state === "Established",
    state,
    since: "07:20:00.123",
    reason: undefined,
    ...NONE,
  });
  expect(hasEnded(of("Established"), of("Active"))).toBe(true);
  expect(hasEnded(of("Active"), of("Active"))).toBe(false);
  expect(hasEnded(of("Active"), of("Established"))).toBe(false);
});
