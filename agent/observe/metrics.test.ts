import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { type AgentMetrics, serveMetrics } from "./metrics.ts";

const metrics = (answer: () => Promise<string>) =>
  ({ registry: { contentType: "text/plain", metrics: answer } }) as unknown as AgentMetrics;

async function serving(answer: () => Promise<string>, work: (url: string, address: AddressInfo) => Promise<void>) {
  const server = await serveMetrics(metrics(answer), "127.0.0.1", 0);
  const address = server.address() as AddressInfo;
  try {
    await work(`http://127.0.0.1:${address.port}/metrics`, address);
  } finally {
    server.close();
  }
}

test("metrics are served only at the configured address", async () => {
  await serving(
    async () => "a 1\n",
    async (url, { address }) => {
      expect(address).toBe("127.0.0.1");
      expect(await (await fetch(url)).text()).toBe("a 1\n");
    },
  );
});

test("with any address clients of both families are answered", async () => {
  const server = await serveMetrics(
    metrics(async () => "a 1\n"),
    "any",
    0,
  );
  const { port } = server.address() as AddressInfo;
  const hosts = ["127.0.0.1", ...(existsSync("/proc/net/if_inet6") ? ["[::1]"] : [])];
  try {
    for (const host of hosts) expect(await (await fetch(`http://${host}:${port}/metrics`)).text()).toBe("a 1\n");
  } finally {
    server.close();
  }
});

test("concurrent scrapes read the maps once", async () => {
  let readings = 0;
  await serving(
    async () => `${++readings}`,
    async (url) => {
      for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 4 }, () => fetch(url)));
      expect(readings).toBe(1);
    },
  );
});

test("a failed scrape is answered, and does not end the server", async () => {
  let broken = true;
  await serving(
    async () => {
      if (broken) throw new Error("Cannot read map outcomes: EBADF: bad file descriptor.");
      return "a 1\n";
    },
    async (url) => {
      const answer = await fetch(url);
      expect([answer.status, await answer.text()]).toEqual([
        500,
        "Cannot read the metrics: Cannot read map outcomes: EBADF: bad file descriptor.\n",
      ]);
      broken = false;
      expect((await fetch(url)).status).toBe(200);
    },
  );
});
