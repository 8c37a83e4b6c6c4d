import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import type { AttemptResult } from "./batch.ts";
import { freePort } from "./free-port.fixture.ts";
import { runBatch } from "./run-batch.ts";

/** Keeps this process from doing anything else, as a computer that is too busy does. */
function stall(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const silentPort = await freePort();

describe("a prober that gets no CPU", () => {
  /** Nobody answers at it, and nobody refuses. */
  const silent = {
    id: "p",
    host: "127.0.0.1",
    port: silentPort,
    protocol: "udp",
    timeoutMs: 900,
    count: 1,
    token: "t",
  } as const;

  async function probeSilence(whenever: () => void, everyMs: number): Promise<AttemptResult | undefined> {
    const socket = createSocket("udp4").bind(silent.port, "127.0.0.1");
    const results: AttemptResult[] = [];
    const busy = setInterval(whenever, everyMs);
    await runBatch([silent], (result) => results.push(result));
    clearInterval(busy);
    socket.close();
    return results[0];
  }

  it("waits for as long as it can listen itself", async () => {
    const started = performance.now();
    // Nearly all of the time is another's: by the clock 900 ms of silence are over long before it has listened for as long.
    expect(await probeSilence(() => stall(240), 1)).toMatchObject({ verdict: "dropped" });
    expect(performance.now() - started).toBeGreaterThan(1_800);
  });

  it("reports that the result is not known when it hardly runs", async () => {
    const result = await probeSilence(() => stall(1_500), 1);
    expect(result).toMatchObject({
      verdict: "none",
      undecided: expect.stringMatching(/^the prober had a processor for \d+ of \d+ ms only$/),
    });
  });

  it.each(["tcp", "udp"] as const)("still reads waiting answers, over %s", async (protocol) => {
    const port = await freePort();
    // The answer has left; before anything else is read this process, its timer due, stands still.
    const thenStall = () => void setImmediate(() => stall(300));
    const tcp = createServer((socket) => {
      socket.once("data", () => {
        socket.end("an answer\n");
        thenStall();
      });
    });
    const udp = createSocket("udp4", (_, { port, address }) => {
      udp.send("an answer", port, address);
      thenStall();
    });
    await new Promise<void>((resolve) => tcp.listen(port, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
    const results: AttemptResult[] = [];
    const probe = { id: "p", host: "127.0.0.1", port, protocol, timeoutMs: 100, count: 1, token: "t" };
    await runBatch([probe], (result) => results.push(result));
    tcp.close();
    udp.close();
    expect(results[0]?.verdict).toBe("allowed");
  });
});
