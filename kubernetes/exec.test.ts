import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { KubernetesError } from "./errors.ts";
import { execInPod } from "./exec.ts";
import { apiServerOf, kubeconfigOf } from "./kubeconfig.ts";

let close = () => {};
afterEach(() => close());

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  close = () => server.close();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const pod = { namespace: "n", name: "p", container: "c" };

const configOf = (server: string) =>
  stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c" } }],
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
  });

/** An API server that refuses to open a WebSocket, and records each request's token. */
async function refusing(status: string) {
  const asked: (string | undefined)[] = [];
  const server = createServer().on("upgrade", (request, socket) => {
    asked.push(`${request.url?.split("?")[0]} ${request.headers.authorization}`);
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });
  const url = await listening(server);
  const script = `console.log(JSON.stringify({ status: { token: String(Math.random()) } }))`;
  const config = stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { exec: { command: process.execPath, args: ["-e", script] } } }],
  });
  const run = () => execInPod(apiServerOf(kubeconfigOf(config)), pod, ["true"], () => {});
  return { asked, run, url };
}

test("a command that cannot be started is said with the pod, the server and a next step", async () => {
  const { asked, run, url } = await refusing("403 Forbidden");
  const failed = run();
  await expect(failed).rejects.toThrow(KubernetesError);
  await expect(failed).rejects.toThrow(`exec in pod n/p at ${url}: Unexpected server response: 403`);
  await expect(failed).rejects.toMatchObject({ next: expect.stringContaining("kubectl describe pod") });
  expect(asked).toHaveLength(1);
});

test("a node that accepts a command and never says anything is not waited for without an end", async () => {
  const held: Duplex[] = [];
  const url = await listening(createServer().on("upgrade", (_request, socket) => held.push(socket)));
  const stop = close;
  close = () => {
    for (const socket of held) socket.destroy();
    stop();
  };
  const api = apiServerOf(kubeconfigOf(configOf(url)));
  const failed = execInPod(api, pod, ["true"], () => {}, 50);
  await expect(failed).rejects.toThrow(`exec in pod n/p at ${url}: it did not begin within 0 s`);
});

test("refused credentials are renewed, and the command is started once more", async () => {
  const { asked, run } = await refusing("401 Unauthorized");
  await expect(run()).rejects.toThrow("Unexpected server response: 401");
  expect(asked).toEqual([
    expect.stringMatching(/^\/api\/v1\/namespaces\/n\/pods\/p\/exec Bearer 0\./),
    expect.stringMatching(/ Bearer 0\./),
  ]);
  expect(new Set(asked).size).toBe(2);
});

/** An API server at which a command says something on its output, in several messages, and does not end. */
async function saying(...texts: Uint8Array[]) {
  const server = createServer().on("upgrade", ({ headers }, socket) => {
    const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
    const protocol = headers["sec-websocket-protocol"]?.split(",")[0];
    socket.write(
      `${head}\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    // Binary messages of the channel of standard output.
    for (const text of texts) {
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(text.length + 1));
      socket.write(Buffer.concat([Buffer.from([0x82, 127]), length, Buffer.from([1]), text]));
    }
    socket.once("data", () => socket.end()); // the client closes
  });
  const url = await listening(server);
  return apiServerOf(kubeconfigOf(configOf(url)));
}

test("a line that cannot be read ends the command, and not this program", async () => {
  const heard: unknown[] = [];
  const onLine = (line: string) => heard.push(JSON.parse(line));
  const running = await execInPod(await saying(Buffer.from('1\nno JSON\n{"a":2}\n')), pod, ["true"], onLine);
  await expect(running.ended).rejects.toThrow("no JSON");
  expect(heard).toEqual([1]);
});

test("a line that does not end ends the command, before it fills the memory", async () => {
  const part = Buffer.alloc(16_000_000, "a");
  const running = await execInPod(await saying(part, part, part, part, part), pod, ["true"], () => {});
  await expect(running.ended).rejects.toThrow("a line of more than 64000000 characters");
});

test("a line is whole, wherever the messages end that it comes in", async () => {
  const bytes = Buffer.from("✓ shop/wéb\n\nend\n");
  const heard: string[] = [];
  const said = [...bytes].map((byte) => Buffer.from([byte]));
  const running = await execInPod(await saying(...said), pod, ["true"], (line) => {
    heard.push(line);
    if (line === "end") throw new Error("that is all");
  });
  await expect(running.ended).rejects.toThrow("that is all");
  expect(heard).toEqual(["✓ shop/wéb", "", "end"]);
});
