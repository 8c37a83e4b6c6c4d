import { createSocket } from "node:dgram";
import { describe, expect, it } from "vitest";
import type { AttemptResult } from "./batch.ts";
import { freePort } from "./free-port.fixture.ts";
import { runBatch } from "./run-batch.ts";
import { startProbeServer } from "./server.ts";

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
    timeoutMs: 300,
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
    // Nearly all of the time is another's: by the clock 300 ms of silence are over long before it has listened for as long.
    expect(await probeSilence(() => stall(240), 1)).toMatchObject({ verdict: "dropped" });
    expect(performance.now() - started).toBeGreaterThan(600);
  });

  it("reports that the result is not known when it hardly runs", async () => {
    const result = await probeSilence(() => stall(1200), 1);
    expect(result).toMatchObject({
      verdict: "none",
      undecided: expect.stringMatching(/^the prober had a processor for \d+ of \d+ ms only$/),
    });
  });

  it.each(["tcp", "udp"] as const)("still reads waiting answers, over %s", async (protocol) => {
    const port = await freePort();
    const server = await startProbeServer({ tcp: [port], udp: [port] }, "a/b");
    const results: AttemptResult[] = [];
    const probe = { id: "p", host: "127.0.0.1", port, protocol, timeoutMs: 100, count: 1, token: "t" };
    const running = runBatch([probe], (result) => results.push(result));
    // The probe has left by now; its answer comes while this process, its timer due, stands still.
    setTimeout(() => stall(300), 0);
    await running;
    server.close();
    expect(results[0]?.verdict).toBe("allowed");
  });
});
