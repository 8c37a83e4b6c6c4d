import type { Server } from "node:http";
import { patiently } from "../../kubernetes/patience.ts";

/** The kernel may close the sockets of an agent that was killed only after its end was told, when the next one has begun. */
const PREDECESSOR_MS = 10_000;

/** Starts a server. Waits for a port that is in use; if it still is after `patienceMs`, rejects, naming it. */
export async function listening<S extends Server>(
  server: S,
  at: { host?: string; port: number },
  patienceMs = PREDECESSOR_MS,
): Promise<S> {
  let fail = (_: Error) => {};
  server.on("error", (error) => fail(error)); // also later: a connection that cannot be accepted ends no agent
  const begun = () =>
    new Promise<void>((resolve, reject) => {
      fail = reject;
      server.listen(at, resolve);
    });
  const isInUse = (error: NodeJS.ErrnoException) => error.code === "EADDRINUSE";
  try {
    await patiently(begun, { limitMs: (error) => (isInUse(error) ? patienceMs : 0), everyMs: 100 });
  } catch (error) {
    throw new Error(`Cannot listen on port ${at.port}: ${(error as Error).message}.`);
  }
  return server;
}
