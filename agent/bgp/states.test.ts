import { expect, test } from "vitest";
import { answerIn } from "./control.ts";
import { sessionStates } from "./states.ts";

// As BIRD 2.0.12 writes them.
const TABLE = `2002-Name       Proto      Table      State  Since         Info
1002-device1    Device     ---        up     07:20:00.123  
 kernel_ipv4 Kernel     master4    up     07:20:00.123  
 peer_172_31_1_1 BGP        ---        up     07:20:03.411  Established   
 peer_172_31_1_207 BGP        ---        start  07:20:00.123  Active        Socket: Connection refused
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
    peer_172_31_1_1: { established: true, state: "Established", reason: undefined },
    peer_172_31_1_207: { established: false, state: "Active", reason: "Socket: Connection refused" },
    peer_2001_db8__1: { established: false, state: "Idle", reason: "Received: Bad peer AS" },
    peer_2001_db8__2: {
      established: false,
      state: "Idle",
      reason: "Automatic shutdown: Route limit exceeded",
    },
    peer_10_0_0_1: { established: false, state: "Down", reason: undefined },
  });
});

test("a refusal has its reason", () => {
  const answer = answerIn("0002-Reading configuration from /run/bird.conf\n8002 /run/bird.conf:3:1 syntax error\n");
  expect(answer).toEqual({
    code: 8002,
    lines: ["Reading configuration from /run/bird.conf", "/run/bird.conf:3:1 syntax error"],
  });
});
