// A trace that its user stops: the probers, which are privileged pods on every node, go with it.
import { expect, onTestFinished, test, vi } from "vitest";
import { stoppedStatus } from "../stopping.ts";
import type { Reached } from "./agents.ts";
import { traceCommand } from "./trace-command.ts";

const reached = {
  api: { server: "https://10.0.0.1" },
  view: {
    nodes: [{ metadata: { name: "a" }, status: { addresses: [{ type: "InternalIP", address: "10.0.0.2" }] } }],
    ...{ pods: [], services: [], endpointSlices: [], agentNamespace: "ebpf-dataplane" },
  },
  ...{ lab: { name: "local", machines: [] }, programs: {}, isLabs: false },
} as unknown as Reached;

test("a trace that is stopped removes its probers, and says so with its exit status", async () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.flatMap((signal) => process.listeners(signal));
  onTestFinished(() => {
    said.mockRestore();
    for (const signal of signals)
      for (const listener of process.listeners(signal)) if (!before.includes(listener)) process.off(signal, listener);
  });
  const { promise: starting, resolve: started } = Promise.withResolvers<void>();
  const removed: string[] = [];
  const probers = {
    start: () => {
      started();
      return new Promise<void>(() => {});
    },
    on: () => ({ prepare: () => {} }) as never,
    remove: async () => void removed.push("probers"),
  };
  const traced = traceCommand(
    "node/a",
    "10.0.0.2:80",
    { lab: "local", json: false },
    { reach: async () => reached, probersAt: () => probers as never },
  );
  await starting;
  process.emit("SIGHUP");
  expect(await traced).toBe(stoppedStatus);
  expect(removed).toEqual(["probers"]);
  expect(said.mock.calls.flat().join("\n")).toMatch(/^SIGHUP: stopping, and removing what was created/);
});
