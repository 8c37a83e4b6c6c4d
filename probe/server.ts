import type { Server } from "node:net";
import type { Readable, Writable } from "node:stream";
import { LISTENING } from "./batch.ts";
import { podIdentity } from "./identity.ts";
import { tellStalls } from "./stall.ts";
import { listenTcp } from "./tcp-server.ts";
import { listenUdp, type UdpListener } from "./udp-server.ts";

/** Ports a probe server answers on. */
export interface ProbeServerPorts {
  tcp: number[];
  udp: number[];
}

/** Starts every listener, or closes those that started and rejects with the port that could not be had. */
export async function startProbeServer(
  ports: ProbeServerPorts,
  server: string = podIdentity(),
  report: (message: string) => void = () => {},
): Promise<{ close: () => void }> {
  const tcp: Server[] = [];
  const udp: UdpListener[] = [];
  const close = (): void => {
    for (const listener of tcp) listener.close();
    for (const listener of udp) listener.close();
  };
  try {
    for (const port of ports.tcp) tcp.push(await listenTcp(port, server));
    for (const port of ports.udp) udp.push(await listenUdp(port, server, report));
  } catch (error) {
    close();
    throw error;
  }
  return { close };
}

/** Runs until SIGTERM or SIGINT; then stops listening and leaves, so that a pod ends without its grace period. */
export async function runProbeServer(ports: ProbeServerPorts, server = podIdentity()): Promise<void> {
  const running = await startProbeServer(ports, server, (message) => console.error(message));
  console.error(
    `probe server ${server} answers on tcp ${ports.tcp.join(",") || "-"}, udp ${ports.udp.join(",") || "-"}`,
  );
  // A verification reads it: silence of a server that cannot run says nothing of the network.
  tellStalls((line) => console.error(line));
  const stop = (): void => {
    running.close();
    // Answers under way are small and already written; the kernel delivers them after we are gone.
    setTimeout(() => process.exit(0), 100).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

/**
 * Runs while somebody attends: until a line or the end of the input, which also comes when the one who started it is killed.
 * Rejects when a port cannot be had.
 */
export async function runAttendedServer(
  ports: ProbeServerPorts,
  server = podIdentity(),
  input: Readable,
  output: Writable,
): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    for (const event of ["data", "end", "close", "error"]) input.once(event, () => resolve());
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  input.resume();
  const running = await startProbeServer(ports, server, (message) => console.error(message));
  output.write(`${LISTENING}\n`);
  await gone;
  running.close();
  input.destroy();
  // Answers under way are small and already written.
  setTimeout(() => process.exit(0), 100);
}
