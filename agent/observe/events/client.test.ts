import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Event, EventKind } from "../../kernel/layout.gen.ts";
import { EVENT_SOCKET } from "../../options.ts";
import { eventAt, names, state } from "./audited-pod.fixture.ts";
import { readEvents } from "./client.ts";
import { serveEvents } from "./server.ts";

/** An agent whose ring is read only when a listener goes, as that of a node without a processor. */
async function busyAgent() {
  const folder = mkdtempSync(join(tmpdir(), "agent-"));
  const ring: Event[] = [];
  const feed = {
    listen: (receive: (event: Event) => void) => () => {
      for (const event of ring.splice(0)) receive(event);
    },
  };
  const stopped: string[] = [];
  const tracer = { start: () => () => stopped.push("trace") };
  const context = { node: "node", names, contents: () => state.contents, deviceName: () => "eth0" };
  const none = {} as never;
  const server = await serveEvents(
    join(folder, EVENT_SOCKET),
    ...([feed, tracer, context] as unknown as [never, never, never]),
    ...([none, none] as const),
  );
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { folder, ring, stopped };
}

const filter = new URLSearchParams({
  ...{ client: "172.31.1.55", clientPort: "40000", frontend: "10.244.0.66", frontendPort: "5432" },
  ...{ protocol: "tcp", seconds: "60" },
});

test("a trace of which there is enough ends with all that happened until then, also if the agent has not told it yet", async () => {
  const { folder, ring, stopped } = await busyAgent();
  const enough = new AbortController();
  const told: object[] = [];
  const hear = (record: unknown) => {
    told.push(record as object);
    if (!("tracing" in (record as object))) return;
    ring.push(eventAt(5432, EventKind.JUDGED), eventAt(5432, EventKind.FINISHED));
    enough.abort();
  };
  await readEvents(folder, `/trace?${filter}`, hear, new AbortController().signal, enough.signal);
  expect(told).toEqual([
    expect.objectContaining({ tracing: true }),
    expect.objectContaining({ step: "judged" }),
    expect.objectContaining({ step: "finished" }),
  ]);
  await expect.poll(() => stopped).toEqual(["trace"]);
});

test("a trace whose reader goes away ends too", async () => {
  const { folder, stopped } = await busyAgent();
  const gone = new AbortController();
  const enough = new AbortController();
  await readEvents(folder, `/trace?${filter}`, () => gone.abort(), gone.signal, enough.signal);
  await expect.poll(() => stopped).toEqual(["trace"]);
});
