// A program with one socket: `node socket-client.ts ASKED`, ASKED as JSON. Prints one JSON line per event, so that a test can
// watch a long-lived socket.
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { connect, type Socket } from "node:net";

/** What the socket should do. */
export interface Asked {
  how: "tcp" | "connected" | "unconnected";
  /** 6: a socket of AF_INET6 that writes IPv4 as ::ffff:a.b.c.d. */
  family: 4 | 6;
  /** Destinations, one after the other: "10.96.0.10:80", "[fd00:10:96::10]:80". */
  to: readonly string[];
  /** Datagrams to each. */
  count?: number;
  /** Milliseconds between two datagrams. */
  every?: number;
  /** A socket that is no longer connected is replaced, as resolvers do. */
  persistent?: boolean;
  /** After so many ms without an answer it says "silence", and goes on; 1500 if left out. */
  silence?: number;
  /** The port to bind to first. */
  sourcePort?: number;
}

/** What it observed. */
export type Observed =
  | { event: "answer"; server: string; saw: string; from: string }
  | { event: "peer"; address: string }
  | { event: "error"; code: string }
  | { event: "silence" };

const SILENCE_MS = 1500;

const print = (observed: Observed) => void process.stdout.write(`${JSON.stringify(observed)}\n`);
const failed = (error: NodeJS.ErrnoException) => print({ event: "error", code: error.code ?? error.message });

function hostAndPort(place: string): [string, string] {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(place) ?? [];
  return [host, port];
}

async function overTcp({ family, to, sourcePort, silence = SILENCE_MS }: Asked): Promise<void> {
  for (const place of to) {
    const [host, port] = hostAndPort(place);
    const options = { host: addressFor(family, host), port: Number(port), localPort: sourcePort };
    await new Promise<void>((resolve) => {
      const socket: Socket = connect(options);
      const timer = setTimeout(() => {
        print({ event: "silence" });
        socket.destroy();
      }, silence);
      socket.once("connect", () => print({ event: "peer", address: `${socket.remoteAddress}:${socket.remotePort}` }));
      socket.once("data", (text) => {
        answered(text, `${socket.remoteAddress}:${socket.remotePort}`);
        socket.destroy();
      });
      socket.once("error", failed);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

async function overUdp(asked: Asked): Promise<void> {
  const { how, family, to, count = 1, every = 0, persistent, sourcePort = 0, silence = SILENCE_MS } = asked;
  const open = async () => {
    const socket = createSocket({ type: family === 6 ? "udp6" : "udp4", ipv6Only: false });
    socket.on("error", failed);
    await new Promise<void>((resolve) => socket.bind(sourcePort, resolve));
    return socket;
  };
  let socket = await open();
  for (const place of to) {
    const [host, port] = hostAndPort(place);
    const target = [Number(port), addressFor(family, host)] as const;
    if (how === "connected") await connected(socket, target);
    for (let index = 0; index < count; index++) {
      if (persistent && !isConnected(socket)) {
        socket.close();
        socket = await open();
        await connected(socket, target);
      }
      await oneDatagram(socket, how === "connected" ? [] : target, silence);
      if (every > 0) await new Promise((resolve) => setTimeout(resolve, every));
    }
    if (how === "connected" && isConnected(socket)) socket.disconnect();
  }
  socket.close();
}

async function connected(socket: Datagrams, target: readonly [number, string]): Promise<void> {
  const error = await new Promise<Error | undefined>((resolve) => socket.connect(...target, resolve as () => void));
  if (error) {
    failed(error);
    return;
  }
  const { address, port } = socket.remoteAddress();
  print({ event: "peer", address: `${address}:${port}` });
}

function isConnected(socket: Datagrams): boolean {
  try {
    return Boolean(socket.remoteAddress());
  } catch {
    return false;
  }
}

/** Sends one request and waits for the reply. */
async function oneDatagram(socket: Datagrams, target: readonly [number, string] | [], silence: number): Promise<void> {
  let stop = () => {};
  const answer = new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      print({ event: "silence" });
      resolve();
    }, silence);
    const heard = (text: Buffer, { address, port }: { address: string; port: number }) => {
      answered(text, `${address}:${port}`);
      resolve();
    };
    socket.once("message", heard);
    socket.once("error", resolve);
    stop = () => {
      clearTimeout(timer);
      socket.off("message", heard);
      socket.off("error", resolve);
      resolve();
    };
  });
  socket.send("?", ...(target as [number, string]), (error: Error | null) => {
    if (!error) return;
    failed(error);
    stop();
  });
  await answer;
  stop();
}

function answered(text: Buffer, from: string): void {
  const { server, source } = JSON.parse(String(text)) as { server: string; source: string };
  print({ event: "answer", server, saw: source, from });
}

function addressFor(family: 4 | 6, host: string): string {
  return family === 6 && !host.includes(":") ? `::ffff:${host}` : host;
}

const asked = JSON.parse(process.argv[2] ?? "{}") as Asked;
if (asked.how === "tcp") await overTcp(asked);
else if (asked.how) await overUdp(asked);
