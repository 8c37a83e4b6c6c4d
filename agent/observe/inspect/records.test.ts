import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { EVENT_SOCKET } from "../../options.ts";
import { serveEvents } from "../events/server.ts";
import { printRecords } from "./records.ts";

type Parameters = Partial<globalThis.Parameters<typeof serveEvents>[5]>;

/** An agent that answers about itself. */
async function agent(answers: Parameters): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "agent-"));
  const none = {} as never;
  const server = await serveEvents(join(folder, EVENT_SOCKET), none, none, none, none, answers as never);
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test("the agent's metrics and settings are printed, a line each", async () => {
  const folder = await agent({
    metrics: async () => [{ name: "a", values: [] }, { name: "b" }],
    settings: () => ({ settings: { logLevel: "info" } }),
  });
  const printed: string[] = [];
  const spy = vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  onTestFinished(() => spy.mockRestore());
  await printRecords("metrics", folder);
  await printRecords("settings", folder);
  expect(printed).toEqual(['{"name":"a","values":[]}', '{"name":"b"}', '{"settings":{"logLevel":"info"}}']);
});

test("metrics that cannot be read are an error", async () => {
  const folder = await agent({ metrics: () => Promise.reject(new Error("a map is gone")) });
  await expect(printRecords("metrics", folder)).rejects.toThrow("a map is gone");
});
