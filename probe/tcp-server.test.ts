import { once } from "node:events";
import { connect, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "./free-port.fixture.ts";
import { listenTcp } from "./tcp-server.ts";

const port = await freePort();

/** What the server says to a client that sends these pieces, one packet each. */
function talk(...pieces: string[]): Promise<{ text: string }> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((next) => setTimeout(next, 10));
      }
    });
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("end", () => resolve({ text }));
    socket.on("error", reject);
  });
}

describe("the probe server's TCP port", () => {
  let listener: Server;
  beforeAll(async () => {
    listener = await listenTcp(port, "default/web-0");
  });
  afterAll(() => listener.close());

  it("speaks first to a silent client", async () => {
    const { text } = await talk();
    expect(text).toMatch(/^\{"server":"default\/web-0","source":"127\.0\.0\.1","sourcePort":\d+\}\n$/);
  });

  it("hears a request that came while this process had no processor", async () => {
    const socket = connect({ port, host: "127.0.0.1" });
    await Promise.all([once(listener, "connection"), once(socket, "connect")]);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (const end = performance.now() + 1_200; performance.now() < end; );
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it("answers other bytes immediately with the raw line", async () => {
    expect((await talk("hello\n")).text).toMatch(/^\{"server"/);
  });

  it.each([["GET / HTTP/1.1\r\nHost: x\r\n\r\n"], ["G", "ET / HTTP/1.1\r\n", "Host: x\r\n\r\n"]])(
    "answers HTTP with the line as body, however it is cut",
    async (...pieces) => {
      const { text } = await talk(...pieces);
      const [head, body] = text.split("\r\n\r\n");
      expect(head).toContain("HTTP/1.1 200 OK");
      expect(head).toContain("Connection: close");
      expect(head).toContain(`Content-Length: ${Buffer.byteLength(body ?? "")}`);
      expect(JSON.parse(body ?? "")).toMatchObject({ server: "default/web-0", source: "127.0.0.1" });
    },
  );

  it("keeps a connection that asks for it, and answers each request, also those that come together", async () => {
    const kept = "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n";
    const { text } = await talk(kept, kept + kept, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const heads = text.match(/Connection: \S+/g);
    expect(heads).toEqual([...Array(3).fill("Connection: keep-alive"), "Connection: close"]);
  });

  it("ends a kept connection that the client ends", async () => {
    const text = await new Promise((resolve, reject) => {
      let text = "";
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => {
        socket.end("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
      });
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("end", () => resolve(text));
      socket.on("error", reject);
    });
    expect(text).toMatch(/\r\n\r\n\{"server".*\}\n$/); // and no second answer
  });

  it("leaves the body out for HEAD", async () => {
    expect((await talk("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")).text).toMatch(/\r\n\r\n$/);
  });
});
