import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Below the kernel's range for outgoing connections, so that no connection of another test takes the port meanwhile. */
const RANGE = { first: 20_000, last: 29_999 };
/** Test files that run side by side have ports of their own: one that is free is not used before the test uses it. */
const LANES = 10;
const ATTEMPTS = 100;

const count = (RANGE.last - RANGE.first + 1) / LANES;
const first = RANGE.first + count * (Number(process.env.VITEST_POOL_ID ?? 0) % LANES);

const taken = new Set<number>();

/** A TCP and UDP port of this machine that nobody uses, another one at each call. Random, for tests beside each other. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = first + Math.floor(Math.random() * count);
    if (taken.has(port) || !(await canListen(port)) || !(await canBind(port))) continue;
    taken.add(port);
    return port;
  }
  throw new Error(`no free port from ${first} to ${first + count - 1} in ${ATTEMPTS} attempts`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => socket.close(() => resolve(false)));
    socket.bind(port, () => socket.close(() => resolve(true)));
  });
}
