import { expect, test } from "vitest";
import { parseSockets } from "./sockets.ts";

// As Linux 6.18 prints them: a listener with two connections that wait, a connection with bytes both ways, a datagram that waits.
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0
   1: 0200630A:0050 0100630A:9C41 01 0000007B:00000010 01:00000014 00000000     0        0 2 1 0000000000000000 20 4 30 10 -1
`;
const UDP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  42: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 3 2 0000000000000000 0
`;

test("sockets are read as the kernel prints them", () => {
  expect(parseSockets("tcp", TCP)).toEqual([
    { protocol: "tcp", localPort: 80, remotePort: 0, listening: true, unacknowledged: 0, unread: 2 },
    { protocol: "tcp", localPort: 80, remotePort: 40_001, listening: false, unacknowledged: 123, unread: 16 },
  ]);
  expect(parseSockets("udp", UDP6)).toMatchObject([{ protocol: "udp", localPort: 81, listening: false, unread: 768 }]);
  expect(parseSockets("tcp", "")).toEqual([]);
});
