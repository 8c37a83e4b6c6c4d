import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listening } from "./listening.ts";

/** A server at a port of 127.0.0.1. @param port 0: any */
async function listens(port: number, patienceMs?: number) {
  const server = await listening(createServer(), { host: "127.0.0.1", port }, patienceMs);
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

test("a port that an agent before has not left yet is waited for", async () => {
  const before = await listens(0);
  const next = listens(before.port);
  let isThere = false;
  void next.then(() => {
    isThere = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(isThere).toBe(false);
  before.server.close();
  expect((await next).port).toBe(before.port);
});

test("a port that stays in use is named, and so is one that may not be used, at once", async () => {
  const { port } = await listens(0);
  await expect(listens(port, 1)).rejects.toThrow(`Cannot listen on port ${port}: listen EADDRINUSE`);
  await expect(listening(createServer(), { host: "192.0.2.1", port: 80 })).rejects.toThrow("Cannot listen on port 80");
});
