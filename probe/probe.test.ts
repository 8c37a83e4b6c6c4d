import { createServer as createHttp } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AttemptResult, Probe } from "./batch.ts";
import { freePort } from "./free-port.fixture.ts";
import { runBatch } from "./run-batch.ts";
import { startProbeServer } from "./server.ts";

const [port, silentPort, greeterPort, closedPort, sourcePort, repeatedPort] = [
  await freePort(),
  await freePort(),
  await freePort(),
  await freePort(),
  await freePort(),
  await freePort(),
];

/** The answer deadline where none comes. Where one comes it is patient: a busy machine answers late. */
const SILENCE_MS = 400;

function probe(fields: Partial<Probe>): Probe {
  return { id: "p", host: "127.0.0.1", port, protocol: "tcp", timeoutMs: 30_000, count: 1, token: "t", ...fields };
}

async function run(...probes: Probe[]): Promise<AttemptResult[]> {
  const results: AttemptResult[] = [];
  await runBatch(probes, (result) => results.push(result));
  return results;
}

describe("probe client and probe server over loopback", () => {
  const closers: (() => void)[] = [];

  const listening = (server: Server): Promise<number> => {
    closers.push(() => server.close());
    return new Promise((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
    );
  };

  beforeAll(async () => {
    const server = await startProbeServer({ tcp: [port], udp: [port] }, "default/web-0");
    closers.push(server.close);
    const silent = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => {}).resume());
    const patient = createServer((socket) => socket.on("error", () => {}).resume());
    for (const [listener, at] of [
      [silent, silentPort],
      [patient, greeterPort],
    ] as const) {
      await new Promise<void>((resolve) => listener.listen(at, "127.0.0.1", resolve));
      closers.push(() => listener.close());
    }
  });
  afterAll(() => {
    for (const close of closers) close();
  });

  it.each(["tcp", "udp"] as const)(
    "gets over %s the server's identity and the address that it saw",
    async (protocol) => {
      const [result] = await run(probe({ protocol, sourcePort }));
      expect(result).toMatchObject({
        verdict: "allowed",
        server: "default/web-0",
        source: "127.0.0.1",
        sourcePort,
        localAddress: "127.0.0.1",
        localPort: sourcePort,
      });
      expect(result?.connectMs).toBeGreaterThan(0);
    },
  );

  it("asks for a path, and reads the status of the answer", async () => {
    const asked: string[] = [];
    const web = createHttp((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(request.url === "/healthz" ? 503 : 200).end("{}");
    });
    const at = await listening(web);
    const [plain, health] = [await run(probe({ port: at })), await run(probe({ port: at, path: "/healthz" }))];
    expect([plain[0]?.status, health[0]?.status]).toEqual([200, 503]);
    expect(health[0]).toMatchObject({ verdict: "allowed" });
    expect(asked).toEqual(["/", "/healthz"]);
  });

  it.each([
    ["tcp", 1],
    ["tcp", 1_000_000],
    ["udp", 1],
    ["udp", 8000],
    ["udp", 60_000],
    ["udp", 65_000],
  ] as const)("compares an echo over %s of %i bytes", async (protocol, size) => {
    const results = await run(probe({ protocol, size, count: 3 }));
    expect(results).toHaveLength(3);
    for (const result of results)
      expect(result).toMatchObject({ verdict: "allowed", echoed: size, server: "default/web-0", source: "127.0.0.1" });
  });

  it("compares an echo of a server that is not this one's, and notices that a server does not echo", async () => {
    const plain = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
    const mute = createServer((socket) => void socket.on("data", () => socket.end("no such command\n")));
    const [echoes, refuses] = await Promise.all([listening(plain), listening(mute)]);
    const [whole] = await run(probe({ port: echoes, size: 300_000 }));
    expect(whole).toMatchObject({ verdict: "allowed", echoed: 300_000 });
    const [none] = await run(probe({ port: refuses, size: 10 }));
    expect(none).toMatchObject({ verdict: "allowed", echoed: 0, differsAt: 0, answer: "no such command\n" });
  });

  it("tries an echo again when a probe server took the client for a silent one", async () => {
    let impatient = 2;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      if (impatient-- > 0) socket.resume().end('{"server":"default/web-0","source":"127.0.0.1","sourcePort":1}\n');
      else socket.pipe(socket);
    });
    const [result] = await run(probe({ port: await listening(server), size: 100 }));
    expect(result).toMatchObject({ verdict: "allowed", echoed: 100 });
  });

  it("calls an echo that stops half-way dropped", async () => {
    const half = createServer(
      { allowHalfOpen: true },
      (socket) => void socket.once("data", (chunk) => void socket.write(chunk.subarray(0, 100))),
    );
    const [result] = await run(probe({ port: await listening(half), size: 1000, timeoutMs: SILENCE_MS }));
    expect(result).toMatchObject({ verdict: "dropped", echoed: 100 });
    expect(result?.error).toBe("100 of 1000 bytes came back, then nothing for 400 ms");
  });

  it.each(["tcp", "udp"] as const)("calls a closed %s port rejected also with a size", async (protocol) => {
    const [result] = await run(probe({ protocol, port: closedPort, size: 100 }));
    expect(result).toMatchObject({ verdict: "rejected", error: "ECONNREFUSED" });
  });

  it("answers from the address a datagram was sent to", async () => {
    const [result] = await run(probe({ protocol: "udp", host: "127.0.0.1" }));
    expect(result?.verdict).toBe("allowed");
  });

  it.each(["tcp", "udp"] as const)("calls a closed %s port rejected", async (protocol) => {
    const [result] = await run(probe({ protocol, port: closedPort }));
    expect(result).toMatchObject({ verdict: "rejected", error: "ECONNREFUSED" });
  });

  it("calls a connection that opens and stays silent dropped", async () => {
    const [result] = await run(probe({ port: silentPort, timeoutMs: SILENCE_MS }));
    expect(result).toMatchObject({ verdict: "dropped", acknowledged: true });
    expect(result?.error).toBe("the connection opened and the request was acknowledged, then nothing came back");
  });

  it("calls a server that waits for another protocol allowed once it closes", async () => {
    const [result] = await run(probe({ port: greeterPort, timeoutMs: SILENCE_MS }));
    expect(result).toMatchObject({ verdict: "allowed" });
  });

  it("sends nothing when the name does not resolve", async () => {
    const [result] = await run(probe({ host: "no-such-host.invalid" }));
    expect(result?.verdict).toBe("none");
    expect(result?.error).toContain("no-such-host.invalid does not resolve");
  });

  it.each(["tcp", "udp"] as const)("binds one local port 50 times in a row over %s", async (protocol) => {
    const results = await run(probe({ protocol, sourcePort: repeatedPort, count: 50 }));
    expect(results.map(({ verdict, error }) => error ?? verdict)).toEqual(Array(50).fill("allowed"));
    expect(new Set(results.map(({ sourcePort }) => sourcePort))).toEqual(new Set([repeatedPort]));
  });

  it("makes 400 attempts concurrently", async () => {
    const results = await run(probe({ id: "a", count: 200 }), probe({ id: "b", protocol: "udp", count: 200 }));
    expect(results.filter(({ verdict }) => verdict === "allowed")).toHaveLength(400);
  });
});
