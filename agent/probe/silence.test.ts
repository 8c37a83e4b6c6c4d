import { describe, expect, it } from "vitest";
import type { AttemptResult } from "./batch.ts";
import { runBatch } from "./run-batch.ts";
import { startProbeServer } from "./server.ts";

/** Keeps this process from doing anything else, as a computer that is too busy does. */
function stall(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("a prober that gets no processor", () => {
  it.each(["tcp", "udp"] as const)("still reads the answers that wait, over %s", async (protocol) => {
    const port = 18_251;
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
