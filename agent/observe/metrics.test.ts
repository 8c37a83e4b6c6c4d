import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, test } from "vitest";
import { createLog } from "./log.ts";
import type { AgentMetrics } from "./metrics.ts";
import { type MetricsEndpoint, serveMetrics } from "./metrics-server.ts";

const QUIET = createLog("error");
QUIET.level = "silent";

const metrics = (answer: () => Promise<string>) =>
  ({ registry: { contentType: "text/plain", metrics: answer } }) as unknown as AgentMetrics;

async function serving(
  answer: () => Promise<string>,
  work: (url: string, address: AddressInfo) => Promise<void>,
  endpoint: Partial<MetricsEndpoint> = {},
  clock: { now?: () => number; connectionMs?: number } = {},
) {
  const at = { address: "127.0.0.1", port: 0, ...endpoint };
  const server = await serveMetrics(metrics(answer), at, QUIET, { readAgainMs: 20, ...clock });
  const address = server.address() as AddressInfo;
  try {
    await work(`http://127.0.0.1:${address.port}/metrics`, address);
  } finally {
    server.close();
  }
}

/** A clock by which no two things happen in one second: a busy machine's scrapes may come together. */
function seldom() {
  let seconds = 0;
  return { now: () => 1000 * seconds++ };
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
    { address: "any", port: 0 },
    QUIET,
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
    {},
    { now: () => 0 },
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

/** A folder as the kubelet mounts a Secret, with a certificate for this name. */
function secretWith(name: string, folder = mkdtempSync(join(tmpdir(), "metrics-"))): string {
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const files = ["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt")];
  execFileSync("openssl", [...words, "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, ...files], {
    stdio: "pipe",
  });
  return folder;
}

/** The status of a scrape by HTTPS, or why there is none. */
function scraped(port: number, folder: string, servername: string, token?: string): Promise<number | string> {
  const ca = readFileSync(join(folder, "tls.crt"));
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve) => {
    const sent = request(
      { host: "127.0.0.1", port, path: "/metrics", ca, servername, headers, agent: false },
      (answer) => resolve(answer.resume().statusCode ?? 0),
    );
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end();
  });
}

test("metrics are served by HTTPS only to who has the token; a new certificate and token count without a restart", async () => {
  const folder = secretWith("one.example");
  const token = join(folder, "token");
  writeFileSync(token, "s3cret\n");
  await serving(
    async () => "a 1\n",
    async (_, { port }) => {
      expect(await scraped(port, folder, "one.example", "s3cret")).toBe(200);
      for (const wrong of [undefined, "", "s3cre", "s3cret2"])
        expect(await scraped(port, folder, "one.example", wrong)).toBe(401);
      await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow();
      // No pair: the former certificate stays in force.
      const former = readFileSync(join(folder, "tls.key"));
      writeFileSync(join(folder, "tls.key"), "no key");
      writeFileSync(token, "next");
      await expect.poll(() => scraped(port, folder, "one.example", "next")).toBe(200);
      expect(await scraped(port, folder, "one.example", "s3cret")).toBe(401);
      writeFileSync(join(folder, "tls.key"), former);
      secretWith("two.example", folder);
      await expect.poll(() => scraped(port, folder, "two.example", "next")).toBe(200);
    },
    { tls: folder, token },
    seldom(),
  );
  rmSync(folder, { recursive: true });
});

test("without a certificate or a token nobody is answered, until the Secret is there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "metrics-"));
  await serving(
    async () => "a 1\n",
    async (_, { port }) => {
      secretWith("one.example", folder);
      await expect.poll(() => scraped(port, folder, "one.example", "x")).toBe(401);
      writeFileSync(join(folder, "token"), "x");
      await expect.poll(() => scraped(port, folder, "one.example", "x")).toBe(200);
    },
    { tls: folder, token: join(folder, "token") },
    seldom(),
  );
  rmSync(folder, { recursive: true });
});

test.each([false, true])("who opens connections without end gets 20 in a second; with TLS: %s", async (withTls) => {
  const folder = withTls ? secretWith("one.example") : undefined;
  let seconds = 0;
  await serving(
    async () => "a 1\n",
    async (_, { port }) => {
      const ask = () =>
        new Promise<boolean>((resolve) => {
          const at = { host: "127.0.0.1", port };
          const socket = withTls ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at);
          socket.on("error", () => resolve(false)).on("close", () => resolve(false));
          socket.on("data", () => resolve(true));
          const begun = withTls ? "secureConnect" : "connect";
          socket.on(begun, () => socket.write("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        });
      const served = async (count: number) => {
        const answers: boolean[] = [];
        for (let index = 0; index < count; index++) answers.push(await ask());
        return answers.filter(Boolean).length;
      };
      expect(await served(60)).toBe(20);
      seconds++;
      expect(await served(60)).toBe(20);
    },
    folder ? { tls: folder } : {},
    { now: () => seconds * 1000 },
  );
  if (folder) rmSync(folder, { recursive: true });
});

test("a request that never ends is not waited for", async () => {
  await serving(
    async () => "a 1\n",
    async (_, { port }) => {
      const socket = connect({ host: "127.0.0.1", port });
      const ended = new Promise((resolve) => socket.on("close", resolve));
      socket.on("error", () => {}).resume();
      socket.write("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nbegin");
      await ended;
    },
  );
});

test("who never reads the answer keeps no connection from others", async () => {
  await serving(
    async () => `${"a".repeat(6 << 20)}\n`,
    async (url, { port }) => {
      const silent = Array.from({ length: 16 }, () => connect({ host: "127.0.0.1", port }).pause());
      for (const socket of silent) socket.on("error", () => {}).write("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
      const status = () =>
        fetch(url).then(
          async (answer) => (await answer.text()).length,
          () => 0,
        );
      await expect.poll(status, { timeout: 120_000 }).toBeGreaterThan(6 << 20);
      for (const socket of silent) socket.destroy();
    },
    {},
    { connectionMs: 1_000 },
  );
});
