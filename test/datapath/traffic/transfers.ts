import type { BareCluster } from "../cluster/bare-cluster.ts";
import type { Placed } from "../cluster/placed.ts";
import { inPod } from "./holding.ts";
import { serve } from "./serving.ts";

const PORT = 9100;

// Says over TCP, when the sender has ended, how many bytes it got, of datagrams with their headers.
const sink = `
  let datagrams = 0;
  require("node:dgram").createSocket("udp4").on("message", (data) => { datagrams += data.length + 42; }).bind(${PORT});
  require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on("error", () => {});
    socket.on("data", (data) => { bytes += data.length; });
    socket.on("end", () => {
      socket.end(JSON.stringify({ bytes: bytes + datagrams }));
      datagrams = 0;
    });
  }).listen(${PORT});`;

// Sends for so long, and asks what has arrived. A socket blocks while TCP waits; datagrams are offered at twice the rate.
const source = `
  const [host, protocol, seconds] = process.argv.slice(1);
  const started = process.hrtime.bigint();
  const elapsed = () => Number(process.hrtime.bigint() - started) / 1e9;
  const socket = require("node:net").connect({ host, port: ${PORT} });
  const done = () => socket.end();
  socket.on("data", (text) => console.log(JSON.stringify({ ...JSON.parse(text), seconds: elapsed() })));
  function write() {
    while (elapsed() < seconds) if (!socket.write(Buffer.alloc(16384))) return socket.once("drain", write);
    done();
  }
  function datagrams() {
    const udp = require("node:dgram").createSocket("udp4");
    let sent = 0;
    const timer = setInterval(() => {
      for (; sent < elapsed() * 2.5e6; sent += 1242) udp.send(Buffer.alloc(1200), ${PORT}, host);
      if (elapsed() >= seconds) { clearInterval(timer); udp.close(); setTimeout(done, 300); }
    }, 2);
  }
  socket.on("connect", protocol === "udp" ? datagrams : write);`;

export interface Transfer {
  /** That arrived. */
  readonly bytes: number;
  /** From before the first to after the last. */
  readonly seconds: number;
}

/** Receives what `transfer` sends to this pod. */
export async function startSink(cluster: BareCluster, pod: Placed): Promise<void> {
  await serve(cluster, pod, [process.execPath, "-e", sink], `udp:${PORT}`, `tcp:${PORT}`);
}

/** Sends as fast as possible for some seconds. */
export async function transfer(
  cluster: BareCluster,
  from: Placed,
  to: Placed,
  protocol: "tcp" | "udp",
  seconds: number,
): Promise<Transfer> {
  const command = [process.execPath, "-e", source, to.address, protocol, `${seconds}`];
  return JSON.parse(await cluster.run(from.node, inPod(from, command)));
}
